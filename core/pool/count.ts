/** How many addresses a pool can hand out. */
import type { Family } from "../address/address.ts";
import type { Range } from "../address/range.ts";
import { countRange } from "../address/range.ts";
import type { Pool } from "./pool.ts";

/** The largest count Kubernetes can hold (int64). */
export const MAX_COUNT = 2n ** 63n - 1n;

/** Counts by family, at most MAX_COUNT each. */
export type PoolSize = Readonly<Record<Family, bigint>>;

/** The usable addresses of the pool by family, without those that avoidBuggyIPs keeps back. */
export function countPool(pool: Pick<Pool, "ranges" | "avoidBuggyIps">): PoolSize {
  const count = (family: Family): bigint =>
    pool.ranges
      .filter((range) => range.first.family === family)
      .reduce((sum, range) => sum + countUsable(range, pool.avoidBuggyIps), 0n);
  return { IPv4: saturate(count("IPv4")), IPv6: saturate(count("IPv6")) };
}

/** At most {@link MAX_COUNT}. */
export const saturate = (count: bigint): bigint => (count > MAX_COUNT ? MAX_COUNT : count);

/** The count as a number: exact up to 2^53, then the nearest double; 2^63 stands for {@link MAX_COUNT}, as JSON.parse has it. */
export const toStatusCount = (count: bigint): number => Number(saturate(count));

/** The addresses of the range that may be handed out. */
export function countUsable(range: Range, avoidBuggyIps: boolean): bigint {
  const count = countRange(range);
  if (!avoidBuggyIps || range.first.family === "IPv6") return count;
  return count - (buggyBelow(range.last.value + 1n) - buggyBelow(range.first.value));
}

/** How many addresses below `end` end in .0 or .255. */
function buggyBelow(end: bigint): bigint {
  return 2n * (end / 256n) + (end % 256n > 0n ? 1n : 0n);
}
