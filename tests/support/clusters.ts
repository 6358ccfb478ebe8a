/** Clusters that read one store, as the admission pods do; ended together. */
import { Cluster, type Role } from "../../cluster/cluster.ts";
import type { Hook, MemoryStore } from "./memory-api.ts";

/** Starts clusters and ends them all. */
export class Clusters {
  #end = new AbortController();

  async start(store: MemoryStore, { hook, role = "admission" }: { hook?: Hook; role?: Role } = {}): Promise<Cluster> {
    const cluster = new Cluster(store.client(hook === undefined ? {} : { hook }));
    await cluster.start(role, this.#end.signal);
    return cluster;
  }

  end(): void {
    this.#end.abort();
    this.#end = new AbortController();
  }
}
