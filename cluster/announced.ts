/** Whether each Service is announced, as the watcher knows it: the data of the condition berth.dev/Announced. */
import type { AnnouncedCondition } from "../core/explain/announced.ts";
import { Listeners } from "./listeners.ts";

/** What is to stand in the condition, by Service; tells of changes only. */
export class AnnouncedStore {
  readonly #conditions = new Map<string, AnnouncedCondition>();
  readonly #listeners = new Listeners<string>();

  /** What the condition on the Service, namespace/name, is to say; undefined where there is to be none, or none yet. */
  get(service: string): AnnouncedCondition | undefined {
    return this.#conditions.get(service);
  }

  /** Calls back with the Service's key whenever what its condition is to say has changed, until the signal. */
  subscribe(listener: (service: string) => void, term: AbortSignal): void {
    this.#listeners.add(listener, term);
  }

  /** Takes in what the condition is to say. */
  set(service: string, condition: AnnouncedCondition | undefined): void {
    if (same(this.#conditions.get(service), condition)) return;
    if (condition === undefined) this.#conditions.delete(service);
    else this.#conditions.set(service, condition);
    this.#listeners.tell(service);
  }

  /** Forgets all, and tells nobody: from now on another watcher knows better. */
  clear(): void {
    this.#conditions.clear();
  }
}

function same(a: AnnouncedCondition | undefined, b: AnnouncedCondition | undefined): boolean {
  return a?.status === b?.status && a?.reason === b?.reason && a?.message === b?.message;
}
