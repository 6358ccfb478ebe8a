/** Watch-fed copies of what the API server stores, one class for every kind. A cache proposes, the API server decides. */
import type { List } from "./api.ts";
import { keyOf, printKey, type ApiObject, type ObjectKey } from "./kinds.ts";
import { Listeners } from "./listeners.ts";
import { Rounds } from "./rounds.ts";

/** What changed: the object before and after; one of them is undefined where it came or went. */
export type Change<T> = {
  readonly key: ObjectKey;
  readonly before: T | undefined;
  readonly after: T | undefined;
  /** Revision at which it happened; empty where a list showed that the object had gone. */
  readonly resourceVersion: string;
};

/** Whether nothing but the status changed, which nobody decides by. */
export function isStatusOnly({ before, after }: Change<ApiObject & { spec?: unknown }>): boolean {
  if (before === undefined || after === undefined) return false;
  const decisive = ({ metadata, spec }: ApiObject & { spec?: unknown }): string =>
    JSON.stringify([metadata?.uid, metadata?.deletionTimestamp, metadata?.labels, metadata?.annotations, spec]);
  return decisive(before) === decisive(after);
}

/** Compares two revisions; the API server promises that they are decimal numbers without leading zeros. */
export const compareRevisions = (left: string, right: string): number =>
  left.length === right.length ? (left < right ? -1 : left > right ? 1 : 0) : left.length - right.length;

const revisionOf = (object: ApiObject): string => object.metadata?.resourceVersion ?? "0";

/** All objects of one kind, as of the newest revision heard of. */
export class Cache<T extends ApiObject> {
  /** Lists that are read for it beside the watch; undefined where one does not come. */
  readonly lists = new Rounds<List<T> | undefined>();
  readonly #objects = new Map<string, T>();
  readonly #listeners = new Listeners<Change<T>>();
  readonly #synced = Promise.withResolvers<undefined>();
  #revision = "0";

  /** Resolves when one whole list was read. */
  get synced(): Promise<undefined> {
    return this.#synced.promise;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(printKey(key));
  }

  /** Every object, in no particular order. */
  values(): Iterable<T> {
    return this.#objects.values();
  }

  /** As far as the watch has come. */
  get revision(): string {
    return this.#revision;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Calls back for each change from now on until the signal, in order, within the call that brought it. */
  subscribe(listener: (change: Change<T>) => void, signal?: AbortSignal): void {
    this.#listeners.add(listener, signal);
  }

  /**
   * Takes in an object that a write returned, before the watch brings it. Ignored where the watch is already past
   * its revision: then the watch knows better, also that the object is gone.
   */
  accept(object: T): void {
    if (compareRevisions(revisionOf(object), this.#revision) > 0) this.#put(object);
  }

  /** Takes in one event of the watch. */
  put(object: T): void {
    this.#advance(revisionOf(object));
    this.#put(object);
  }

  /** Takes in that an object is gone; the API server gives it the revision of its deletion. */
  drop(object: T): void {
    this.#advance(revisionOf(object));
    const key = keyOf(object);
    const before = this.get(key);
    if (before !== undefined && compareRevisions(revisionOf(before), revisionOf(object)) > 0) return;
    this.#remove(key, revisionOf(object));
  }

  /** Takes in a whole list: what it lacks is gone. */
  replace(items: readonly T[], resourceVersion: string): void {
    this.#removeOthers({ items, resourceVersion });
    this.#advance(resourceVersion);
    for (const item of items) this.#put(item);
    this.#synced.resolve(undefined);
  }

  /** Takes in a whole list that the watch has yet to come to, or is past already: what is news of it. */
  catchUp(list: List<T>): void {
    this.#removeOthers(list);
    for (const item of list.items) this.accept(item);
  }

  /** Takes in that the watch has come as far as a revision. */
  advance(resourceVersion: string): void {
    this.#advance(resourceVersion);
  }

  #advance(resourceVersion: string): void {
    if (compareRevisions(resourceVersion, this.#revision) > 0) this.#revision = resourceVersion;
  }

  /** What a list lacks is gone, but for what is newer. */
  #removeOthers({ items, resourceVersion }: List<T>): void {
    const listed = new Set(items.map((item) => printKey(keyOf(item))));
    for (const [key, object] of this.#objects) {
      const isNewer = compareRevisions(revisionOf(object), resourceVersion) > 0;
      if (!listed.has(key) && !isNewer) this.#remove(keyOf(object), "");
    }
  }

  #put(object: T): void {
    const key = keyOf(object);
    const before = this.get(key);
    if (before !== undefined && compareRevisions(revisionOf(object), revisionOf(before)) <= 0) return;
    this.#objects.set(printKey(key), object);
    this.#tell({ key, before, after: object, resourceVersion: revisionOf(object) });
  }

  #remove(key: ObjectKey, resourceVersion: string): void {
    const before = this.get(key);
    if (before === undefined) return;
    this.#objects.delete(printKey(key));
    this.#tell({ key, before, after: undefined, resourceVersion });
  }

  #tell(change: Change<T>): void {
    this.#listeners.tell(change);
  }
}
