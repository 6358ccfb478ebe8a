/** What else has addresses in the cluster: no pool may take them in. */
import type { Address } from "../address/address.ts";
import { compareAddresses } from "../address/address.ts";
import type { Range } from "../address/range.ts";
import { rangeContains, rangesOverlap } from "../address/range.ts";
import type { Pool } from "./pool.ts";

/** An address of a node. */
export type NodeAddress = { readonly node: string; readonly address: Address };

/** A range that ClusterIPs come from, with the name of its ServiceCIDR. */
export type ServiceRange = { readonly serviceCidr: string; readonly range: Range };

/** The addresses of nodes in ascending order, as {@link sortNodeAddresses} gives them, and the ranges of ClusterIPs. */
export type Surroundings = {
  readonly nodeAddresses: readonly NodeAddress[];
  readonly serviceRanges: readonly ServiceRange[];
};

/** What of the cluster's own addresses a pool takes in; `pool` is namespace/name. */
export type PoolCollision =
  | {
      readonly kind: "nodeAddresses";
      readonly pool: string;
      /** The lowest few. */
      readonly some: readonly NodeAddress[];
      readonly count: number;
    }
  | {
      readonly kind: "serviceRange";
      readonly pool: string;
      readonly range: Range;
      readonly serviceCidr: string;
      readonly serviceRange: Range;
    };

/** How many nodes a refusal names. */
const NAMED = 3;

/** In ascending order, then by node. */
export const sortNodeAddresses = (addresses: readonly NodeAddress[]): readonly NodeAddress[] =>
  addresses.toSorted((a, b) => compareAddresses(a.address, b.address) || (a.node < b.node ? -1 : 1));

/** Everything of the cluster's own that the pool takes in, at most one of each kind. */
export function findCollisions(pool: Pool, { nodeAddresses, serviceRanges }: Surroundings): readonly PoolCollision[] {
  const inside = pool.ranges.flatMap((range) => addressesInside(range, nodeAddresses));
  const some = sortNodeAddresses(inside).slice(0, NAMED);
  const nodes = { kind: "nodeAddresses", pool: pool.key, some, count: inside.length } as const;
  const services = overlapWithServices(pool, serviceRanges);
  return [...(inside.length === 0 ? [] : [nodes]), ...(services === undefined ? [] : [services])];
}

function addressesInside(range: Range, ascending: readonly NodeAddress[]): readonly NodeAddress[] {
  const start = lowestFrom(range.first, ascending);
  let end = start;
  for (let next = ascending[end]; next !== undefined && rangeContains(range, next.address); next = ascending[end])
    end += 1;
  return ascending.slice(start, end);
}

/** Index of the lowest address that is not below the given one. */
function lowestFrom(address: Address, ascending: readonly NodeAddress[]): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = ascending[middle];
    if (found !== undefined && compareAddresses(found.address, address) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function overlapWithServices(pool: Pool, serviceRanges: readonly ServiceRange[]): PoolCollision | undefined {
  for (const range of pool.ranges) {
    const hit = serviceRanges.find((one) => rangesOverlap(one.range, range));
    if (hit !== undefined)
      return {
        kind: "serviceRange",
        pool: pool.key,
        range,
        serviceCidr: hit.serviceCidr,
        serviceRange: hit.range,
      };
  }
  return undefined;
}
