/** Which Services a change of a pool would take addresses from. */
import type { Address } from "../address/address.ts";
import { compareAddresses } from "../address/address.ts";
import { rangeContains } from "../address/range.ts";
import type { UsablePools } from "../pool/overlap.ts";
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
  /** The key of the pool that changes. */
  readonly pool: string;
  readonly before: UsablePools;
  /** With the change, the changed one included unless it is deleted. */
  readonly after: UsablePools;
  readonly occupancy: Pick<Occupancy, "held">;
  /** What is known of a Service; undefined where it is not stored, so that nothing can be taken from it. */
  readonly served: (service: ServiceName) => Served | undefined;
};

/**
 * The addresses of the pool that Services hold and would keep without the change, and that with it no pool has, hands out
 * (avoidBuggyIPs), and may give to them (serviceAllocation). A pool that gives nothing takes nothing either.
 */
export function findStranded({ pool, before, after, occupancy, served }: PoolChange): StrandedAddresses | undefined {
  const lost: { readonly address: Address; readonly holder: ServiceName }[] = [];
  const ranges = [...before.usable, ...before.inert].find(({ key }) => key === pool)?.ranges ?? [];
  for (const [address, holder] of occupancy.held()) {
    if (!ranges.some((range) => rangeContains(range, address))) continue;
    for (const { namespace, name } of servicesOf(holder)) {
      const service = served({ namespace, name });
      if (service === undefined || !isKept(address, service, before)) continue;
      if (!isKept(address, service, after)) lost.push({ address, holder: { namespace, name } });
    }
  }
  if (lost.length === 0) return undefined;
  const inOrder = lost.toSorted((a, b) => compareAddresses(a.address, b.address));
  return { kind: "strandedAddresses", pool, lost: inOrder.slice(0, NAMED), count: lost.length };
}

/** Whether a Service that holds the address keeps it: by the usable pools that have it, else by an inert one that has it. */
function isKept(address: Address, service: Served, { usable, inert }: UsablePools): boolean {
  const has = ({ ranges }: Pick<Pool, "ranges">): boolean => ranges.some((range) => rangeContains(range, address));
  const owners = usable.filter(has);
  if (owners.length === 0) return inert.some(has);
  return owners.some((pool) => hasAddress(pool, address) && whyNotServed(pool, service) === undefined);
}
