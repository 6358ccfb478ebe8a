/** A store in memory with the API server's manners: revisions, conflicts, preconditions, field owners and watches. */
import { keys } from "../../core/keys.ts";
import type { Api, ApplyOptions, Precondition, WatchEvent, WatchOptions } from "../../cluster/api.ts";
import { ApiError } from "../../cluster/errors.ts";
import {
  apiVersionOf,
  keyOf,
  kinds,
  printKey,
  type ApiObject,
  type Kind,
  type ObjectKey,
} from "../../cluster/kinds.ts";
import { FieldOwners } from "./field-owners.ts";
import { inOrder, isObject, mergePatch, type Json } from "./json-patch.ts";
import { WatchLog } from "./watch-log.ts";

/** One call as a hook sees it; a "watch event" is the delivery of one event. */
export type MemoryCall = {
  readonly verb: "list" | "watch" | "watch event" | "get" | "create" | "apply" | "merge" | "remove";
  readonly plural: string;
  readonly key: string;
};

/** Runs a call: at once, later, not at all (throw), or so that its answer is lost (run, then throw). */
export type Hook = <T>(call: MemoryCall, run: () => Promise<T>) => Promise<T>;

/** What an admission chain sees of a write. */
export type Admission = {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly plural: string;
  readonly object: ApiObject;
  readonly oldObject: ApiObject | undefined;
  readonly user: string;
};

/** What the admission chain makes of a write; throws to deny it. */
export type Admit = (admission: Admission) => Promise<ApiObject>;

/** Who a client is, and what stands between it and the store. */
export type ClientOptions = { readonly hook?: Hook; readonly user?: string };

type Merge = { readonly key: ObjectKey; readonly patch: object; readonly subresource: "status" | undefined };
type AnyKind = Kind<ApiObject>;

/** Kinds whose status is written under a path of its own. */
const WITH_STATUS: ReadonlySet<string> = new Set(
  [kinds.services, kinds.nodes, kinds.pools, kinds.advertisements, kinds.l2Statuses]
    .map(({ plural }) => plural)
    .concat("daemonsets"),
);

/** The one store; {@link client} gives each process its own face of it. */
export class MemoryStore {
  /** Wall clock of `creationTimestamp`. */
  now = (): Date => new Date();
  /** Called before each write of a main resource. */
  admit: Admit = ({ object }) => Promise.resolve(object);
  readonly #objects = new Map<string, Map<string, ApiObject>>();
  readonly #owners = new Map<string, FieldOwners>();
  readonly #log = new WatchLog();
  #revision = 100;

  /** The calls as one process makes them. */
  client({ hook = (_, run) => run(), user = keys.operatorUser }: ClientOptions = {}): Api {
    return {
      list: (kind, namespace) => hook(callOf("list", kind), async () => this.#list(kind, namespace)),
      watch: (kind, options) => this.#watch(kind, options, hook),
      get: (kind, key) => hook(callOf("get", kind, key), async () => this.get(kind, key)),
      create: (kind, object) => hook(callOf("create", kind, keyOf(object)), () => this.#create(kind, object, user)),
      apply: (kind, object, options) =>
        hook(callOf("apply", kind, keyOf(object)), async () => this.#apply(kind, object, options)),
      merge: (kind, key, patch, subresource) =>
        hook(callOf("merge", kind, key), () => this.#merge(kind, { key, patch, subresource }, user)),
      remove: (kind, key, precondition) =>
        hook(callOf("remove", kind, key), () => this.#remove(kind, { key, precondition }, user)),
    };
  }

  /** What is stored. */
  get<T extends ApiObject>(kind: Kind<T>, key: ObjectKey): T | undefined {
    return structuredClone(this.#of(kind).get(printKey(key)));
  }

  /** All that is stored of a kind, by key. */
  all<T extends ApiObject>(kind: Kind<T>): readonly T[] {
    const objects = [...this.#of(kind)].toSorted(([left], [right]) => (left < right ? -1 : 1));
    return objects.map(([, object]) => structuredClone(object));
  }

  /** Stores as it is, without admission, status and all: what was there before. */
  seed<T extends ApiObject>(kind: Kind<T>, ...objects: readonly T[]): void {
    for (const object of objects) this.#put(kind, this.#stamp(kind, object), "ADDED");
  }

  /** Changes an object without admission, status and all. */
  edit<T extends ApiObject>(kind: Kind<T>, key: ObjectKey, patch: object): T {
    const before = this.#need(kind, key);
    return structuredClone(this.#replace(kind, before, mergePatch(before, patch) as T));
  }

  /** Deletes an object without admission. */
  delete<T extends ApiObject>(kind: Kind<T>, key: ObjectKey): void {
    const before = this.#need(kind, key);
    this.#of(kind).delete(printKey(key));
    this.#owners.delete(idOf(kind, key));
    this.#log.record({ plural: kind.plural, type: "DELETED", object: this.#atNextRevision(before) });
  }

  /** The newest revision. */
  get resourceVersion(): string {
    return String(this.#revision);
  }

  /** Tells each watch of the kind how far the store has come. */
  bookmark<T extends ApiObject>(kind: Kind<T>): void {
    const object = this.#atNextRevision({ apiVersion: apiVersionOf(kind), kind: kind.kind });
    this.#log.record({ plural: kind.plural, type: "BOOKMARK", object });
  }

  /** Forgets all history: a watch from before now is answered 410. */
  compact(): void {
    this.#log.forgetBefore(this.#revision);
  }

  /** Breaks all open watches off, as a lost connection does. */
  breakWatches(): void {
    this.#log.breakWatches();
  }

  /** Ends all open watches, as the API server does every few minutes. */
  endWatches(): void {
    this.#log.endWatches();
  }

  async *#watch<T extends ApiObject>(kind: Kind<T>, options: WatchOptions, hook: Hook): AsyncGenerator<WatchEvent<T>> {
    await hook(callOf("watch", kind), () => Promise.resolve());
    yield* this.#log.watch(kind, options, (plural, key) =>
      hook({ verb: "watch event", plural, key }, () => Promise.resolve()),
    );
  }

  #of<T extends ApiObject>({ plural }: Kind<T>): Map<string, T> {
    const found = this.#objects.get(plural) ?? new Map<string, ApiObject>();
    this.#objects.set(plural, found);
    return found as Map<string, T>;
  }

  #need<T extends ApiObject>(kind: Kind<T>, key: ObjectKey): T {
    const found = this.#of(kind).get(printKey(key));
    if (found !== undefined) return found;
    throw new ApiError(kind.plural, 404, "NotFound", `${kind.plural} "${printKey(key)}" not found`);
  }

  #atNextRevision<T extends ApiObject>(object: T): T {
    this.#revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: this.resourceVersion } };
  }

  #stamp<T extends ApiObject>(kind: Kind<T>, object: T): T {
    const { metadata = {}, ...rest } = structuredClone(object);
    const name = metadata.name ?? `${metadata.generateName ?? ""}${String(this.#revision).padStart(5, "x")}`;
    const creationTimestamp = `${this.now().toISOString().slice(0, 19)}Z`;
    const uid = `uid-${this.resourceVersion}`;
    const stamped = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...rest };
    return this.#atNextRevision({ ...stamped, metadata: { uid, creationTimestamp, ...metadata, name } } as T);
  }

  #put<T extends ApiObject>(kind: Kind<T>, object: T, type: "ADDED" | "MODIFIED"): T {
    this.#of(kind).set(printKey(keyOf(object)), object);
    this.#log.record({ plural: kind.plural, type, object });
    return object;
  }

  /** Stores a new form; one that says the same is no change. */
  #replace<T extends ApiObject>(kind: Kind<T>, before: T, after: T): T {
    const next = structuredClone(after);
    dropIngressOfFormerLoadBalancer(before as Json, next as Json);
    const { resourceVersion = "" } = before.metadata ?? {};
    next.metadata = { ...next.metadata, resourceVersion };
    if (inOrder(next) === inOrder(before)) return before;
    return this.#put(kind, this.#atNextRevision(next), "MODIFIED");
  }

  #list<T extends ApiObject>(kind: Kind<T>, namespace?: string): { items: readonly T[]; resourceVersion: string } {
    const items = this.all(kind).filter(({ metadata }) => namespace === undefined || metadata?.namespace === namespace);
    return { items, resourceVersion: this.resourceVersion };
  }

  async #create<T extends ApiObject>(kind: Kind<T>, object: T, user: string): Promise<T> {
    this.#refuseExisting(kind, keyOf(object));
    const { plural } = kind;
    const sent = structuredClone(object);
    const admitted = await this.admit({ operation: "CREATE", plural, object: sent, oldObject: undefined, user });
    const stamped = this.#stamp(kind, withStatusOf(undefined, admitted as T, plural));
    this.#refuseExisting(kind, keyOf(stamped));
    return structuredClone(this.#put(kind, stamped, "ADDED"));
  }

  #refuseExisting<T extends ApiObject>(kind: Kind<T>, key: ObjectKey): void {
    if (!this.#of(kind).has(printKey(key))) return;
    throw new ApiError(`POST ${kind.plural}`, 409, "AlreadyExists", `${kind.plural} "${key.name}" already exists`);
  }

  async #merge<T extends ApiObject>(kind: Kind<T>, { key, patch, subresource }: Merge, user: string): Promise<T> {
    const { status, ...main } = patch as { status?: unknown } & ApiObject;
    const { resourceVersion } = main.metadata ?? {};
    const isStatus = subresource === "status";
    for (;;) {
      const before = this.#need(kind, key);
      this.#check(kind, before, { resourceVersion });
      const after = mergePatch(before, isStatus ? { status } : patch) as T;
      const admitted = isStatus ? after : await this.#admitUpdate(kind, { before, after, user });
      // Where somebody else wrote meanwhile, the API server begins again.
      if (this.#of(kind).get(printKey(key)) === before) return structuredClone(this.#replace(kind, before, admitted));
    }
  }

  async #admitUpdate<T extends ApiObject>(
    { plural }: Kind<T>,
    { before, after, user }: { readonly before: T; readonly after: T; readonly user: string },
  ): Promise<T> {
    const oldObject = structuredClone(before);
    const admitted = await this.admit({ operation: "UPDATE", plural, object: after, oldObject, user });
    return withStatusOf(before, admitted as T, plural);
  }

  #apply<T extends ApiObject>(kind: Kind<T>, object: ApiObject, options: ApplyOptions): T {
    const { fieldManager, subresource, force = true } = options;
    const key = keyOf(object);
    // Coarser than the API server, which looks at each field's owner and value.
    if (!force) this.#refuseExisting(kind, key);
    if (subresource !== undefined) this.#check(kind, this.#need(kind, key), { uid: object.metadata?.uid });
    const id = idOf(kind, key);
    const owners = this.#owners.get(id) ?? new FieldOwners();
    this.#owners.set(id, owners);
    const before = this.#of(kind).get(printKey(key));
    const base = before ?? { metadata: { ...key } };
    const after = owners.apply(fieldManager, base as Json, object as Json) as T;
    if (before === undefined) return structuredClone(this.#put(kind, this.#stamp(kind, after), "ADDED"));
    return structuredClone(this.#replace(kind, before, after));
  }

  async #remove(
    kind: AnyKind,
    { key, precondition }: { readonly key: ObjectKey; readonly precondition: Precondition },
    user: string,
  ): Promise<void> {
    const before = this.#of(kind).get(printKey(key));
    if (before === undefined) return;
    this.#check(kind, before, precondition);
    await this.admit({ operation: "DELETE", plural: kind.plural, object: before, oldObject: before, user });
    const now = this.#of(kind).get(printKey(key));
    if (now === undefined) return;
    this.#check(kind, now, precondition);
    this.delete(kind, key);
  }

  #check(kind: AnyKind, { metadata }: ApiObject, { uid, resourceVersion }: Precondition): void {
    const isUid = uid === undefined || uid === metadata?.uid;
    const isRevision = resourceVersion === undefined || resourceVersion === metadata?.resourceVersion;
    if (isUid && isRevision) return;
    throw new ApiError(`write ${kind.plural}`, 409, "Conflict", "the object has been modified");
  }
}

/**
 * What a write of the main resource stores: the status as it was. The API server puts it back only after the mutating
 * webhooks have run, so these see what was sent.
 */
export function withStatusOf<T extends ApiObject>(before: ApiObject | undefined, after: T, plural: string): T {
  if (!WITH_STATUS.has(plural)) return after;
  const stored = { ...after } as T & { status?: unknown };
  const status = (before as { readonly status?: unknown } | undefined)?.status;
  if (status === undefined) delete stored.status;
  else stored.status = structuredClone(status);
  return stored;
}

const callOf = (verb: MemoryCall["verb"], { plural }: AnyKind, key?: ObjectKey): MemoryCall => ({
  verb,
  plural,
  key: key === undefined ? "" : printKey(key),
});

const idOf = ({ plural }: AnyKind, key: ObjectKey): string => `${plural} ${printKey(key)}`;

/** As the API server does: the ingress goes with the type, the conditions stay. */
function dropIngressOfFormerLoadBalancer(before: Json, after: Json): void {
  const typeOf = ({ spec }: Json): unknown => (isObject(spec) ? spec["type"] : undefined);
  if (typeOf(before) !== "LoadBalancer" || typeOf(after) === "LoadBalancer" || !isObject(after["status"])) return;
  after["status"]["loadBalancer"] = {};
}
