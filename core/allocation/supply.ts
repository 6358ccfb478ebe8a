/** What addresses are chosen from, and how full it is. */
import type { Address, Family } from "../address/address.ts";
import { countUsable } from "../pool/count.ts";
import type { Pool } from "../pool/pool.ts";
import type { Occupancy } from "./occupancy.ts";
import type { PoolUse } from "./refusal.ts";

/** The usable pools, and who holds what. */
export type Supply = {
  readonly pools: readonly Pool[];
  readonly occupancy: Pick<Occupancy, "holderOf" | "lowestFree" | "countIn">;
  /** Whether there is any pool at all, usable or not; by default, whether there is a usable one. */
  readonly anyPool?: boolean | undefined;
};

/** The lowest free address of the pool's first range that has one, in the order of its spec. */
export function lowestFreeIn(
  pool: Pool,
  family: Family,
  { occupancy }: Pick<Supply, "occupancy">,
): Address | undefined {
  for (const range of pool.ranges) {
    const free = range.first.family === family ? occupancy.lowestFree(range, pool.avoidBuggyIps) : undefined;
    if (free !== undefined) return free;
  }
  return undefined;
}

/** How many addresses of those families the pool has and how many of them are held, by whomever; not saturated. */
export function poolUse(pool: Pool, families: readonly Family[], { occupancy }: Pick<Supply, "occupancy">): PoolUse {
  const ranges = pool.ranges.filter((range) => families.includes(range.first.family));
  const size = ranges.reduce((sum, range) => sum + countUsable(range, pool.avoidBuggyIps), 0n);
  const held = ranges.reduce((sum, range) => sum + occupancy.countIn(range), 0n);
  // something else may hold addresses that the pool would not hand out
  return { pool: pool.key, used: held < size ? held : size, size };
}
