/** What each capability gives the module: Pepr's bindings, and the work that the watcher does. */
import type { Capability } from "pepr";

/** One capability of the module. */
export type Part = {
  readonly capability: Capability;
  /** Begins the watcher's work; called once, when all caches are filled. */
  startWatching(): Promise<void>;
};
