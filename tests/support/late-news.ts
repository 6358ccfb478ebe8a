/** Processes that hear late of what is stored, and what they ask meanwhile. */
import type { Hook, MemoryCall } from "./memory-api.ts";

/** A hook for each process of a world; all of it is in force once `isLate` is set. */
export class LateNews {
  /** Whether the watches of admission pods are behind. */
  isLate = false;
  /** Whether their lists and gets fail. */
  isDeaf = false;
  /** The lists and gets of admission pods since then: "admission-0 list ipaddresspools". */
  readonly asked: string[] = [];
  readonly #processes: string;
  readonly #plurals: readonly string[];

  /** Of these kinds, or of all; to all admission pods, or to one. */
  constructor(plurals: readonly string[] = [], processes = "admission") {
    this.#processes = processes;
    this.#plurals = plurals;
  }

  readonly hook =
    (process: string): Hook =>
    async (call, run) => {
      if (!this.isLate || !process.startsWith(this.#processes)) return run();
      if (this.#isOfWatch(call)) await new Promise((resolve) => setTimeout(resolve, 100));
      if (call.verb !== "list" && call.verb !== "get") return run();
      this.asked.push(`${process} ${call.verb} ${call.plural}`);
      if (this.isDeaf) throw new Error("socket hang up");
      return run();
    };

  #isOfWatch({ verb, plural }: MemoryCall): boolean {
    return verb === "watch event" && (this.#plurals.length === 0 || this.#plurals.includes(plural));
  }
}
