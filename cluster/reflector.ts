/** Keeps a cache in line with the API server: list, watch, and again from the start when the watch is too old. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "./api.ts";
import type { Cache } from "./cache.ts";
import { ApiError, isGone } from "./errors.ts";
import type { ApiObject, Kind } from "./kinds.ts";
import { log } from "./log.ts";
import { backoffMillis } from "./queue.ts";

/** What is kept in line, with which part of the store, and until when. */
export type Reflection<T extends ApiObject> = {
  readonly cache: Cache<T>;
  readonly namespace?: string | undefined;
  readonly signal: AbortSignal;
};

/** So often do pauses double while nothing answers, up to 400 ms: a Service that is made once the API server is back waits for them. */
const UNANSWERED_DOUBLINGS = 3;
/** So many refusals are taken for those of an API server that has just started: for 3 s it may not know yet who has which right. */
const EARLY_REFUSALS = 10;

/** Runs until the signal ends it; resolves then. */
export async function reflect<T extends ApiObject>(
  api: Api,
  kind: Kind<T>,
  { cache, namespace, signal }: Reflection<T>,
): Promise<void> {
  const progress: Progress = { revision: undefined, failures: 0, isAnswered: true };
  while (!signal.aborted) {
    try {
      progress.revision ??= await listInto(api, kind, { cache, namespace });
      await watchInto(api, kind, { cache, namespace, signal, progress });
      // A server, or a proxy before it, may end watches at once and without an error.
      await sleep(backoffMillis(0), undefined, { ref: false });
    } catch (err) {
      if (isAborted(signal)) return;
      await sleep(pauseAfter(err, kind, progress), undefined, { ref: false });
    }
  }
}

/** The pause before the next try; one that begins to answer again, if only with a refusal, is not given the pauses of before. */
function pauseAfter<T extends ApiObject>(err: unknown, kind: Kind<T>, progress: Progress): number {
  const isAnswered = err instanceof ApiError;
  const failures = isAnswered === progress.isAnswered ? progress.failures : 0;
  if (isGone(err)) progress.revision = undefined;
  else log[failures === 0 ? "warn" : "debug"]({ err, kind: kind.plural, failures }, "watch broke off, starting again");
  progress.failures = failures + 1;
  progress.isAnswered = isAnswered;
  const doublings = isAnswered && failures > EARLY_REFUSALS ? failures - EARLY_REFUSALS : 0;
  return backoffMillis(Math.min(failures, UNANSWERED_DOUBLINGS) + doublings);
}

/** How far it has come, how often in a row it broke off without an event in between, and whether by an answer. */
type Progress = { revision: string | undefined; failures: number; isAnswered: boolean };

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

type Watching<T extends ApiObject> = Reflection<T> & { readonly progress: Progress };

/** Returns when the API server ends the watch, as it does every few minutes; a watch that breaks off has come as far. */
async function watchInto<T extends ApiObject>(api: Api, kind: Kind<T>, watching: Watching<T>): Promise<void> {
  const { cache, namespace, signal, progress } = watching;
  const { revision: resourceVersion = "" } = progress;
  for await (const { type, object } of api.watch(kind, { namespace, resourceVersion, signal })) {
    const revision = object.metadata?.resourceVersion ?? progress.revision;
    if (type === "DELETED") cache.drop(object);
    else if (type === "BOOKMARK") cache.advance(revision ?? resourceVersion);
    else cache.put(object);
    progress.revision = revision;
    progress.failures = 0;
  }
  progress.failures = 0;
}
