/** What each capability gives the module: Pepr's bindings, and the work that the watcher does. */
import type { Capability } from "pepr";

/** One capability of the module. */
export type Part = {
  readonly capability: Capability;
  /**
   * Does the watcher's work until the signal; called when all caches are filled, each time that this watcher comes to
   * lead. Resolves when all that there is stands in its queue.
   */
  lead(term: AbortSignal): Promise<void>;
};
