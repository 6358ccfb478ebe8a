/** Which addresses in use a change of pools would leave without a pool. */
import type { Address } from "../address/address.ts";
import { compareAddresses } from "../address/address.ts";
import { rangeContains } from "../address/range.ts";
import type { Pool } from "../pool/pool.ts";
import type { ServiceHolder } from "./holder.ts";
import type { Occupancy } from "./occupancy.ts";
import type { StrandedAddresses } from "./refusal.ts";

/**
 * The addresses of `before` that Services hold and no pool of `after` has; `after` is every usable pool as it would be
 * with the change, the changed one included unless it is deleted.
 */
export function findStranded(
  before: Pool,
  after: readonly Pool[],
  occupancy: Pick<Occupancy, "held">,
): StrandedAddresses | undefined {
  const stranded: { readonly address: Address; readonly holder: ServiceHolder }[] = [];
  for (const [address, holder] of occupancy.held()) {
    const isLost = contains(before, address) && !after.some((pool) => contains(pool, address));
    if (holder.kind === "service" && isLost) stranded.push({ address, holder });
  }
  const [first] = stranded.toSorted((a, b) => compareAddresses(a.address, b.address));
  if (first === undefined) return undefined;
  const holder = { namespace: first.holder.namespace, name: first.holder.name };
  return { kind: "strandedAddresses", pool: before.key, address: first.address, holder, count: stranded.length };
}

const contains = (pool: Pool, address: Address): boolean => pool.ranges.some((range) => rangeContains(range, address));
