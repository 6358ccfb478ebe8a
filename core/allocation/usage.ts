/** How full a pool is. */
import type { Family } from "../address/address.ts";
import type { Range } from "../address/range.ts";
import type { PoolSize } from "../pool/count.ts";
import { saturate } from "../pool/count.ts";
import type { Pool } from "../pool/pool.ts";
import type { Occupancy } from "./occupancy.ts";

/** Counts by family, at most MAX_COUNT each. */
export type PoolUsage = {
  /** Addresses that Services of Berth's hold; a shared one counts once. */
  readonly assigned: PoolSize;
  /** Usable addresses that nobody holds: no Service, no Node, no ClusterIP, no IPAddress made by hand. */
  readonly available: PoolSize;
};

/** What a pool counts that gives no addresses. */
export const NO_USAGE: PoolUsage = { assigned: { IPv4: 0n, IPv6: 0n }, available: { IPv4: 0n, IPv6: 0n } };

/** How many addresses of the pool are assigned, and how many are available. */
export function measurePool(
  pool: Pick<Pool, "ranges" | "avoidBuggyIps">,
  occupancy: Pick<Occupancy, "countServicesIn" | "countFreeIn">,
): PoolUsage {
  const sum = (family: Family, count: (range: Range) => bigint): bigint =>
    saturate(pool.ranges.filter(({ first }) => first.family === family).reduce((all, range) => all + count(range), 0n));
  const bothFamilies = (count: (range: Range) => bigint): PoolSize => ({
    IPv4: sum("IPv4", count),
    IPv6: sum("IPv6", count),
  });
  return {
    assigned: bothFamilies((range) => occupancy.countServicesIn(range)),
    available: bothFamilies((range) => occupancy.countFreeIn(range, pool.avoidBuggyIps)),
  };
}
