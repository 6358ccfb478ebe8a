import type { Address } from "../address/address.ts";
import type { Range } from "../address/range.ts";
import type { Holder, ServiceName } from "./holder.ts";
/** Which address is held by whom: an index in process that proposes; the API server decides. */
export declare class Occupancy {
  /** Notes that the holder has the address; false, and nothing changes, when somebody else holds it already. */
  take(address: Address, holder: Holder): boolean;
  /** Frees the address, or only if that holder has it; false when nothing changed. */
  release(address: Address, holder?: Holder): boolean;
  /** Who holds the address, if anybody does. */
  holderOf(address: Address): Holder | undefined;
  /** The addresses of a Service, IPv4 before IPv6, then ascending. */
  addressesOf(service: ServiceName): readonly Address[];
  /** The lowest address of the range that nobody holds, leaving out those ending .0 and .255 if asked. */
  lowestFree(range: Range, avoidBuggyIps?: boolean): Address | undefined;
  /** How many addresses of the range are held. */
  countIn(range: Range): bigint;
  /** Every address that a Service holds, in no order. */
  held(): Iterable<readonly [Address, Holder]>;
}
