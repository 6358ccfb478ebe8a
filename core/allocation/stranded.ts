/** Which Services a change of a pool would take addresses from. */
import type { Address } from "../address/address.ts";
import { compareAddresses } from "../address/address.ts";
import { rangeContains } from "../address/range.ts";
import type { Pool } from "../pool/pool.ts";
import type { Served } from "../pool/serve.ts";
import { whyNotServed } from "../pool/serve.ts";
import type { ServiceName } from "./holder.ts";
import { servicesOf } from "./holder.ts";
import type { Occupancy } from "./occupancy.ts";
import type { StrandedAddresses } from "./refusal.ts";
import { hasAddress } from "./supply.ts";

/** How many of the addresses a refusal names before it only counts. */
const NAMED = 5;

/** The pools as they are and as they would be, and those who hold addresses of them. */
export type PoolChange = {
  readonly before: Pool;
  /** Every usable pool as it would be with the change, the changed one included unless it is deleted. */
  readonly after: readonly Pool[];
  readonly occupancy: Pick<Occupancy, "held">;
  /** What is known of a Service; undefined where it is not stored, so that nothing can be taken from it. */
  readonly served: (service: ServiceName) => Served | undefined;
};

/**
 * The addresses of `before` that Services hold and that no pool of `after` has, hands out (avoidBuggyIPs), and may give
 * to them (serviceAllocation). An address that `before` may not give them either is not lost by the change.
 */
export function findStranded({ before, after, occupancy, served }: PoolChange): StrandedAddresses | undefined {
  const lost: { readonly address: Address; readonly holder: ServiceName }[] = [];
  const isKept = (pool: Pool, address: Address, service: Served): boolean =>
    hasAddress(pool, address) && whyNotServed(pool, service) === undefined;
  for (const [address, holder] of occupancy.held()) {
    if (!before.ranges.some((range) => rangeContains(range, address))) continue;
    for (const { namespace, name } of servicesOf(holder)) {
      const service = served({ namespace, name });
      if (service === undefined || !isKept(before, address, service)) continue;
      if (!after.some((pool) => isKept(pool, address, service))) lost.push({ address, holder: { namespace, name } });
    }
  }
  if (lost.length === 0) return undefined;
  const inOrder = lost.toSorted((a, b) => compareAddresses(a.address, b.address));
  return { kind: "strandedAddresses", pool: before.key, lost: inOrder.slice(0, NAMED), count: lost.length };
}
