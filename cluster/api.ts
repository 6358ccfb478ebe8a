/** The API server as typed calls. Decides nothing and retries nothing. */
import { pathOf, type ApiObject, type Kind, type ObjectKey } from "./kinds.ts";
import { isNotFound } from "./errors.ts";
import type { Call, Transport } from "./transport.ts";
import { parseJson, printJson, readAll, refusal, slim, watchLines, type Bulky } from "./wire.ts";

/** A list and the revision at which it was true. */
export type List<T> = { readonly items: readonly T[]; readonly resourceVersion: string };

/** One line of a watch. */
export type WatchEvent<T> = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
};

/** Where a watch starts and what ends it. */
export type WatchOptions = {
  readonly namespace?: string | undefined;
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
};

/** Which revision of an object a write is about; another one means that the write does not happen (409). */
export type Precondition = { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined };

/** Whose fields an apply sets, whether under `/status`, and whether also those that are somebody else's (so unless it says no). */
export type ApplyOptions = { readonly fieldManager: string; readonly subresource?: "status"; readonly force?: false };

/** The calls that Berth makes. Tests give a store in memory the same face. */
export interface Api {
  /**
   * All objects of a kind, or those of one namespace, as of one revision that no other reader has seen a later one of:
   * page by page, 410 where the revision is too old before the last page.
   */
  list<T extends ApiObject>(kind: Kind<T>, namespace?: string): Promise<List<T>>;
  watch<T extends ApiObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Undefined where there is no such object. */
  get<T extends ApiObject>(kind: Kind<T>, key: ObjectKey): Promise<T | undefined>;
  create<T extends ApiObject>(kind: Kind<T>, object: T): Promise<T>;
  /** Server-side apply: sets exactly the fields given, for this field manager; not forced, 409 where one has another owner. */
  apply<T extends ApiObject>(kind: Kind<T>, object: ApiObject, options: ApplyOptions): Promise<T>;
  /** JSON merge patch (RFC 7396); put `metadata.resourceVersion` in it to make it conditional. */
  merge<T extends ApiObject>(kind: Kind<T>, key: ObjectKey, patch: object, subresource?: "status"): Promise<T>;
  /** Nothing happens where there is no such object. */
  remove<T extends ApiObject>(kind: Kind<T>, key: ObjectKey, precondition: Precondition): Promise<void>;
}

/** Objects that one answer to a list holds: a page is read in some ten milliseconds, in which no webhook is answered. */
const PAGE = 1_000;

/** The calls, over a transport. */
export function apiOver(transport: Transport): Api {
  const call = async <T>(request: Call): Promise<T> => {
    const answer = await transport(request);
    const text = await readAll(answer);
    if (answer.status >= 400) throw refusal(`${request.method} ${request.path}`, answer.status, text);
    return slim(parseJson<T & Bulky>(text));
  };
  return {
    list: (kind, namespace) =>
      listPages((rest) =>
        call<RawList<never>>({ method: "GET", path: `${pathOf(kind, { namespace })}?limit=${String(PAGE)}${rest}` }),
      ),
    watch: (kind, options) => watchLines(transport, kind, options),
    get: async (kind, key) =>
      call<never>({ method: "GET", path: pathOf(kind, key) }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
    create: (kind, object) => {
      const namespace = object.metadata?.namespace;
      return call({ method: "POST", path: pathOf(kind, { namespace }), body: JSON.stringify(object) });
    },
    apply: (kind, object, { fieldManager, subresource, force = true }) =>
      call({
        method: "PATCH",
        path: `${pathOf(kind, { namespace: object.metadata?.namespace, name: object.metadata?.name ?? "" })}${
          subresource === undefined ? "" : `/${subresource}`
        }?fieldManager=${fieldManager}&force=${String(force)}`,
        contentType: "application/apply-patch+yaml",
        body: printJson(object),
      }),
    merge: (kind, key, patch, subresource) =>
      call({
        method: "PATCH",
        path: `${pathOf(kind, key)}${subresource === undefined ? "" : `/${subresource}`}?fieldManager=berth-operator`,
        contentType: "application/merge-patch+json",
        body: JSON.stringify(patch),
      }),
    remove: async (kind, key, preconditions) => {
      await call({
        method: "DELETE",
        path: pathOf(kind, key),
        body: JSON.stringify({ apiVersion: "v1", kind: "DeleteOptions", preconditions }),
      }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    },
  };
}

type RawList<T> = {
  readonly items: readonly T[];
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
};

async function listPages<T extends Bulky>(read: (rest: string) => Promise<RawList<T>>): Promise<List<T>> {
  const items: T[] = [];
  for (let rest = ""; ; ) {
    const { items: page, metadata } = await read(rest);
    for (const item of page) items.push(slim(item));
    const { continue: next = "", resourceVersion } = metadata;
    if (next === "") return { items, resourceVersion };
    rest = `&continue=${encodeURIComponent(next)}`;
  }
}
