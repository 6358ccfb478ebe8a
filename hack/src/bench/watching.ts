/** When Services were seen to have an address in their status, by a watch of the bench's own. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../../../cluster/api.ts";
import { kinds, type Service } from "../../../cluster/kinds.ts";

/** Longest wait for one status, in milliseconds. */
const PATIENCE_MILLIS = 120_000;

/** A watch of one namespace. */
export class Watching {
  readonly #seen = new Map<string, PromiseWithResolvers<number>>();
  readonly #stop = new AbortController();

  /** Watches from now on. */
  static async of(api: Api, namespace: string): Promise<Watching> {
    const { resourceVersion } = await api.list(kinds.services, namespace);
    const watching = new Watching();
    void watching.#follow(api, namespace, resourceVersion);
    return watching;
  }

  /** The moment at which the Service was seen with an address in its status; may be asked for before or after. */
  async assigned(name: string): Promise<number> {
    const late = sleep(PATIENCE_MILLIS, undefined, { ref: false }).then(() => {
      throw new Error(`Service "${name}" has no address in its status; see kubectl describe service ${name}`);
    });
    return Promise.race([this.#cell(name).promise, late]);
  }

  stop(): void {
    this.#stop.abort();
  }

  #cell(name: string): PromiseWithResolvers<number> {
    const cell = this.#seen.get(name) ?? Promise.withResolvers<number>();
    this.#seen.set(name, cell);
    return cell;
  }

  /** The API server ends each watch after some minutes: the next one goes on from there. */
  async #follow(api: Api, namespace: string, from: string): Promise<void> {
    const { signal } = this.#stop;
    let resourceVersion = from;
    try {
      while (!signal.aborted) {
        for await (const { object } of api.watch(kinds.services, { namespace, resourceVersion, signal })) {
          resourceVersion = object.metadata?.resourceVersion ?? resourceVersion;
          this.#take(object);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #take({ metadata, status }: Service): void {
    const isAssigned = (status?.loadBalancer?.ingress ?? []).length > 0;
    if (isAssigned) this.#cell(metadata?.name ?? "").resolve(performance.now());
  }
}
