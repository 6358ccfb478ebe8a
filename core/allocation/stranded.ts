import type { Pool } from "../pool/pool.ts";
import type { Occupancy } from "./occupancy.ts";
import type { StrandedAddresses } from "./refusal.ts";
/** The addresses of `before` in use by Services that no pool of `after` contains any more. */
export declare function findStranded(
  before: Pool,
  after: readonly Pool[],
  occupancy: Pick<Occupancy, "held">,
): StrandedAddresses | undefined;
