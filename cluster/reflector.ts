/** Keeps a cache in line with the API server: list, watch, and again from the start when the watch is too old. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "./api.ts";
import type { Cache } from "./cache.ts";
import { isGone } from "./errors.ts";
import type { ApiObject, Kind } from "./kinds.ts";
import { log } from "./log.ts";
import { backoffMillis } from "./queue.ts";

/** What is kept in line, with which part of the store, and until when. */
export type Reflection<T extends ApiObject> = {
  readonly cache: Cache<T>;
  readonly namespace?: string | undefined;
  readonly signal: AbortSignal;
};

/** Runs until the signal ends it; resolves then. */
export async function reflect<T extends ApiObject>(
  api: Api,
  kind: Kind<T>,
  { cache, namespace, signal }: Reflection<T>,
): Promise<void> {
  let failures = 0;
  let revision: string | undefined;
  while (!signal.aborted) {
    try {
      revision ??= await listInto(api, kind, { cache, namespace });
      revision = await watchInto(api, kind, { cache, namespace, signal, revision });
      failures = 0;
    } catch (err) {
      if (isAborted(signal)) return;
      if (isGone(err)) revision = undefined;
      else log.warn({ err, kind: kind.plural, failures }, "watch broke off, starting again");
      await sleep(backoffMillis(failures), undefined, { ref: false });
      failures += 1;
    }
  }
}

// A function, since the compiler takes `signal.aborted` for false inside the loop that tested it.
const isAborted = (signal: AbortSignal): boolean => signal.aborted;

async function listInto<T extends ApiObject>(
  api: Api,
  kind: Kind<T>,
  { cache, namespace }: Pick<Reflection<T>, "cache" | "namespace">,
): Promise<string> {
  const { items, resourceVersion } = await api.list(kind, namespace);
  cache.replace(items, resourceVersion);
  return resourceVersion;
}

type Watching<T extends ApiObject> = Reflection<T> & { readonly revision: string };

/** Returns the revision to go on from when the API server ends the watch, as it does every few minutes. */
async function watchInto<T extends ApiObject>(api: Api, kind: Kind<T>, watching: Watching<T>): Promise<string> {
  const { cache, namespace, signal } = watching;
  let revision = watching.revision;
  for await (const { type, object } of api.watch(kind, { namespace, resourceVersion: revision, signal })) {
    revision = object.metadata?.resourceVersion ?? revision;
    if (type === "DELETED") cache.drop(object);
    else if (type === "BOOKMARK") cache.advance(revision);
    else cache.put(object);
  }
  return revision;
}
