/** Clusters that read one store, as the admission pods do; ended together. */
import { Cluster, type Role } from "../../cluster/cluster.ts";
import type { Hook, MemoryStore } from "./memory-api.ts";

/** What stands between the cluster and the store, what it is, and its chance. */
type Options = { readonly hook?: Hook; readonly role?: Role; readonly random?: () => number };

/** Starts clusters and ends them all. */
export class Clusters {
  #end = new AbortController();

  async start(store: MemoryStore, { hook, role = "admission", random }: Options = {}): Promise<Cluster> {
    const cluster = new Cluster(store.client(hook === undefined ? {} : { hook }), undefined, random);
    await cluster.start(role, this.#end.signal);
    return cluster;
  }

  end(): void {
    this.#end.abort();
    this.#end = new AbortController();
  }
}
