/** A client of the lab that asks for addresses while something else goes on. */
import { join } from "node:path";
import type { Target } from "../../hack/src/target.ts";
import { onClientDuring } from "../support/client-program.ts";
import type { Seen } from "./prober.ts";

/** What the client saw of each target, "address:port", while the work went on. */
export const seenDuring = (
  target: Target,
  targets: readonly string[],
  work: () => Promise<void>,
): Promise<Record<string, Seen>> => onClientDuring(target, [join(import.meta.dirname, "prober.ts"), ...targets], work);
