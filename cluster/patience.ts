/** Waiting for an answer only so long: a webhook has to answer within seconds, whatever it asks itself. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Api, List } from "./api.ts";
import type { Cache } from "./cache.ts";
import type { ApiObject, Kind } from "./kinds.ts";

/** How long a webhook asks whether something is missing before it goes by what it knows, in milliseconds. */
export const PATIENCE_MILLIS = 1_500;

/** What `asked` gives; undefined where it fails, or has not come after so many milliseconds. */
export async function within<T>(millis: number, asked: Promise<T>): Promise<T | undefined> {
  const late = new AbortController();
  const timer = sleep(millis, undefined, { ref: false, signal: late.signal }).catch(() => undefined);
  try {
    return await Promise.race([asked.catch(() => undefined), timer]);
  } finally {
    late.abort();
  }
}

/**
 * All objects of a kind as the API server lists them now, which the cache takes in; undefined where that fails or takes too
 * long. However many ask at once, one list is read at a time.
 */
export const hearAll = <T extends ApiObject>(
  api: Api,
  kind: Kind<T>,
  cache: Cache<T>,
): Promise<List<T> | undefined> => {
  const read = async (): Promise<List<T>> => {
    const list = await api.list(kind);
    cache.catchUp(list);
    return list;
  };
  // Each list ends in time by itself, too: the next one waits for it.
  return within(
    PATIENCE_MILLIS,
    cache.lists.join(() => within(PATIENCE_MILLIS, read())),
  );
};

/** The same; where it fails or takes too long, as they are remembered. */
export async function listNow<T extends ApiObject>(api: Api, kind: Kind<T>, cache: Cache<T>): Promise<readonly T[]> {
  const fresh = await hearAll(api, kind, cache);
  return fresh?.items ?? [...cache.values()];
}
