/** Which Services a change of a pool would take addresses from. */
import type { Address } from "../address/address.ts";
import { compareAddresses } from "../address/address.ts";
import { rangesContain } from "../address/range.ts";
import type { UsablePools } from "../pool/overlap.ts";
import type { Served } from "../pool/serve.ts";
import { whyNotServed } from "../pool/serve.ts";
import type { ServiceName } from "./holder.ts";
import { servicesOf } from "./holder.ts";
import { findAnchor, type Origin } from "./keep.ts";
import type { Occupancy } from "./occupancy.ts";
import type { StrandedAddresses } from "./refusal.ts";
import { hasAddress } from "./supply.ts";

/** How many of the addresses a refusal names before it only counts. */
const NAMED = 5;

/** The pools as they are and as they would be, and those who hold addresses of them. */
export type PoolChange = {
  /** The key of the pool that changes. */
  readonly pool: string;
  readonly before: UsablePools;
  /** With the change, the changed one included unless it is deleted. */
  readonly after: UsablePools;
  readonly occupancy: Pick<Occupancy, "held">;
  /** What is known of a Service; undefined where it is not stored, so that nothing can be taken from it. */
  readonly served: (service: ServiceName) => Served | undefined;
  /** What the claim of an address says of where it is from. */
  readonly originOf: (address: Address) => Origin;
};

/**
 * The addresses that Services hold and would keep without the change, and that with it the pool that has them does not hand
 * out (avoidBuggyIPs), or may not give to them (serviceAllocation), or that no pool has. Without a usable pool they stay where
 * an anchor keeps them.
 */
export function findStranded(change: PoolChange): StrandedAddresses | undefined {
  const { pool, before, after, occupancy, served, originOf } = change;
  const lost: { readonly address: Address; readonly holder: ServiceName }[] = [];
  const concerns = concernedBy(change);
  for (const [address, holder] of occupancy.held()) {
    if (!concerns(address)) continue;
    const origin = originOf(address);
    for (const { namespace, name } of servicesOf(holder)) {
      const service = served({ namespace, name });
      if (service === undefined || !isKept({ address, ...origin }, service, before)) continue;
      if (!isKept({ address, ...origin }, service, after)) lost.push({ address, holder: { namespace, name } });
    }
  }
  if (lost.length === 0) return undefined;
  const inOrder = lost.toSorted((a, b) => compareAddresses(a.address, b.address));
  return { kind: "strandedAddresses", pool, lost: inOrder.slice(0, NAMED), count: lost.length };
}

/** Whether the change of the pool can matter to the address: it has it before or after, or is inert and gave it. */
function concernedBy({ pool, before, after, originOf }: PoolChange): (address: Address) => boolean {
  const forms = [before, after].flatMap(({ usable, inert }) => [...usable, ...inert].filter(({ key }) => key === pool));
  const ranges = forms.flatMap((form) => form.ranges);
  const isInert = before.inert.some(({ key }) => key === pool);
  return (address) => rangesContain(ranges, address) || (isInert && originOf(address).claimedFrom === pool);
}

/** Whether a Service that holds the address keeps it: by the usable pools that have it, else by an anchor. */
function isKept(held: Origin & { readonly address: Address }, service: Served, pools: UsablePools): boolean {
  const { address } = held;
  const owners = pools.usable.filter(({ ranges }) => rangesContain(ranges, address));
  if (owners.length === 0) return findAnchor(held, pools) !== undefined;
  return owners.some((pool) => hasAddress(pool, address) && whyNotServed(pool, service) === undefined);
}
