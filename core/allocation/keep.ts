/** Which address a Service goes on with although its request can't be served as it stands. */
import type { Address } from "../address/address.ts";
import { rangeContains } from "../address/range.ts";
import type { UsablePools } from "../pool/overlap.ts";
import type { Served } from "../pool/serve.ts";
import { whyNotServed } from "../pool/serve.ts";
import { hasAddress } from "./supply.ts";

/**
 * Whether the Service keeps an address that it has, its own request aside. The pool that has it decides; where none has
 * it, a pool that is inert by a fault of its own takes nothing from those it served (`claimedFrom` is namespace/name).
 */
export function mayGoOn(
  address: Address,
  claimedFrom: string,
  request: Served,
  { usable, inert }: UsablePools,
): boolean {
  const pool = usable.find(({ ranges }) => ranges.some((range) => rangeContains(range, address)));
  if (pool === undefined) return inert.some((one) => one.pool === claimedFrom);
  return hasAddress(pool, address) && whyNotServed(pool, request) === undefined;
}
