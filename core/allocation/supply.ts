/** What addresses are chosen from, how full it is, and which of it a Service may have. */
import type { Address, Family } from "../address/address.ts";
import { isBuggyAddress } from "../address/address.ts";
import type { Range } from "../address/range.ts";
import { rangesContain } from "../address/range.ts";
import { countUsable } from "../pool/count.ts";
import type { InertPool } from "../pool/overlap.ts";
import type { Pool } from "../pool/pool.ts";
import type { Lane } from "./lane.ts";
import { lowestFreeOfLane } from "./lane.ts";
import type { Occupancy } from "./occupancy.ts";
import type { PoolUse } from "./refusal.ts";
import type { ServiceRequest } from "./request.ts";
import type { Across, Obstacle } from "./sharing.ts";
import { findObstacle } from "./sharing.ts";

/** The usable pools, and who holds what. */
export type Supply = {
  readonly pools: readonly Pool[];
  readonly occupancy: Pick<Occupancy, "holderOf" | "lowestFree" | "countIn" | "sharedUnder">;
  /** Whether there is any pool at all, usable or not; by default, whether there is a usable one. */
  readonly anyPool?: boolean | undefined;
  /** The pools that give nothing; by default none. */
  readonly inert?: readonly InertPool[] | undefined;
  /** Of which addresses the lowest free one is taken first, while other processes take addresses too. */
  readonly lane?: Lane | undefined;
};

/** The lowest free address of the pool's first range that has one, in the order of its spec. */
export function lowestFreeIn(
  pool: Pool,
  family: Family,
  { occupancy, lane }: Pick<Supply, "occupancy" | "lane">,
): Address | undefined {
  const lowestFree = (range: Range): Address | undefined => occupancy.lowestFree(range, pool.avoidBuggyIps);
  for (const range of pool.ranges.filter(({ first }) => first.family === family)) {
    const free = lane === undefined ? lowestFree(range) : lowestFreeOfLane(lane, range, lowestFree);
    if (free !== undefined) return free;
  }
  return undefined;
}

/** The lowest address of the pool that Services share under the request's key and that it may come in on. */
export function lowestShareableIn(
  pool: Pool,
  family: Family,
  request: ServiceRequest,
  supply: Supply,
): Address | undefined {
  const { key } = request.terms;
  if (key === "") return undefined;
  return supply.occupancy
    .sharedUnder(key)
    .find(
      (address) =>
        address.family === family &&
        hasAddress(pool, address) &&
        findObstacleIn(pool, address, request, supply) === undefined,
    );
}

/** Whether the pool holds the address, and would hand it out. */
export const hasAddress = (pool: Pool, address: Address): boolean =>
  rangesContain(pool.ranges, address) && !(pool.avoidBuggyIps && isBuggyAddress(address));

/** Who stands in the way of the Service's having this address of the pool. */
export const findObstacleIn = (
  pool: Pool,
  address: Address,
  { service, terms }: ServiceRequest,
  { occupancy }: Supply,
): Obstacle | undefined => findObstacle(occupancy.holderOf(address), { service, terms, across: acrossIn(pool) });

/** Whether Services of two namespaces may share an address of the pool. */
export const acrossIn = (pool: Pool | undefined): Across =>
  pool?.sharesAcrossNamespaces === true ? "cluster" : "never";

/** How many addresses of those families the pool has and how many of them are held, by whomever; not saturated. */
export function poolUse(pool: Pool, families: readonly Family[], { occupancy }: Pick<Supply, "occupancy">): PoolUse {
  const ranges = pool.ranges.filter((range) => families.includes(range.first.family));
  const size = ranges.reduce((sum, range) => sum + countUsable(range, pool.avoidBuggyIps), 0n);
  const held = ranges.reduce((sum, range) => sum + occupancy.countIn(range), 0n);
  // something else may hold addresses that the pool would not hand out
  return { pool: pool.key, used: held < size ? held : size, size };
}
