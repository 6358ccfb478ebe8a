/** The Lease by which the watchers agree who leads, watched, and written by compare-and-swap. Decides nothing. */
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { Cache } from "./cache.ts";
import { isConflict, isNotFound } from "./errors.ts";
import { apiVersionOf, type ApiObject, type Kind } from "./kinds.ts";
import { reflect } from "./reflector.ts";

type WatcherLease = ApiObject & {
  spec?: {
    holderIdentity?: string | null;
    acquireTime?: string | undefined;
    renewTime?: string;
    leaseDurationSeconds?: number;
    leaseTransitions?: number;
  };
};

const leases: Kind<WatcherLease> = { group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases" };
const key = { namespace: keys.operatorNamespace, name: keys.watcherLease };
/** For people: the watchers know how long it is. */
const DURATION_SECONDS = 7;

/** What is known of the Lease. */
export class LeaseRecord {
  readonly #api: Api;
  readonly #cache = new Cache<WatcherLease>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** Whom the Lease names; undefined where it names nobody, or there is none. */
  get holder(): string | undefined {
    const { holderIdentity } = this.#cache.get(key)?.spec ?? {};
    return holderIdentity === null || holderIdentity === "" ? undefined : holderIdentity;
  }

  /** Calls back for each change, and says whether it is one to a Lease known before. Resolves when it is known for the first time. */
  async follow(onChange: (isKnown: boolean) => void, signal: AbortSignal): Promise<void> {
    this.#cache.subscribe(({ key: { name }, before }) => {
      if (name === key.name) onChange(before !== undefined);
    });
    void reflect(this.#api, leases, { cache: this.#cache, namespace: key.namespace, signal });
    await this.#cache.synced;
  }

  /** Writes a holder into the Lease as it is known; false where somebody else was first, and then it is read anew. */
  async write(identity: string): Promise<boolean> {
    const lease = this.#cache.get(key);
    return this.#unlessChanged(lease, async () => {
      const spec = nextSpec(lease, identity);
      this.#cache.accept(
        lease === undefined
          ? await this.#api.create(leases, { apiVersion: apiVersionOf(leases), kind: leases.kind, metadata: key, spec })
          : await this.#api.merge(leases, key, { ...precondition(lease), spec }),
      );
    });
  }

  /** Takes the holder out, if it is still this one. */
  async clear(identity: string): Promise<void> {
    while (this.holder === identity) {
      const lease = this.#cache.get(key);
      const patch = { ...precondition(lease), spec: { holderIdentity: null } };
      // A renewal may be under way; then it is tried again.
      await this.#unlessChanged(lease, async () => {
        this.#cache.accept(await this.#api.merge(leases, key, patch));
      });
    }
  }

  async #unlessChanged(lease: WatcherLease | undefined, write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
      // The watch may be late, or silent.
      const fresh = await this.#api.get(leases, key);
      if (fresh !== undefined) this.#cache.accept(fresh);
      else if (lease !== undefined) this.#cache.drop(lease);
      return false;
    }
  }
}

const precondition = (lease: WatcherLease | undefined): object => ({
  metadata: { resourceVersion: lease?.metadata?.resourceVersion },
});

function nextSpec({ spec = {} }: WatcherLease = {}, identity: string): WatcherLease["spec"] & object {
  const { holderIdentity, acquireTime, leaseTransitions = 0 } = spec;
  const now = new Date().toISOString().replace("Z", "000Z");
  const isSame = holderIdentity === identity;
  return {
    holderIdentity: identity,
    acquireTime: isSame ? acquireTime : now,
    renewTime: now,
    leaseDurationSeconds: DURATION_SECONDS,
    leaseTransitions: isSame ? leaseTransitions : leaseTransitions + 1,
  };
}
