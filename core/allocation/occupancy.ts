/** Which address is held by whom: an index in process that proposes; the API server decides. */
import type { Address, Family } from "../address/address.ts";
import { addressBits, compareAddresses, isBuggyAddress } from "../address/address.ts";
import type { Range } from "../address/range.ts";
import { countUsable } from "../pool/count.ts";
import type { Holder, ServiceName } from "./holder.ts";
import { sameHolder, servicesOf } from "./holder.ts";
import { IntervalSet } from "./interval-set.ts";

/**
 * An index of held addresses. The lowest free one of a range takes microseconds, however many are held, however large
 * the range, and however scattered; a take or a release takes a few.
 */
export class Occupancy {
  readonly #families: Readonly<Record<Family, FamilyOccupancy>> = {
    IPv4: new FamilyOccupancy("IPv4"),
    IPv6: new FamilyOccupancy("IPv6"),
  };
  readonly #byService = new AddressIndex();
  readonly #bySharingKey = new AddressIndex();

  /** Notes that the holder has the address; false, and nothing changes, when somebody else holds it already. */
  take(address: Address, holder: Holder): boolean {
    const family = this.#families[address.family];
    const earlier = family.holders.get(address.value);
    if (earlier !== undefined) return sameHolder(earlier, holder);
    family.take(address, holder);
    for (const service of servicesOf(holder)) this.#byService.add(serviceKey(service), address);
    for (const key of sharingKeys(holder)) this.#bySharingKey.add(key, address);
    return true;
  }

  /** Frees the address, or only if that holder has it; false when nothing changed. */
  release(address: Address, holder?: Holder): boolean {
    const family = this.#families[address.family];
    const current = family.holders.get(address.value);
    if (current === undefined || (holder !== undefined && !sameHolder(current, holder))) return false;
    family.release(address);
    for (const service of servicesOf(current)) this.#byService.remove(serviceKey(service), address);
    for (const key of sharingKeys(current)) this.#bySharingKey.remove(key, address);
    return true;
  }

  /** Who holds the address, if anybody does. */
  holderOf(address: Address): Holder | undefined {
    return this.#families[address.family].holders.get(address.value);
  }

  /** The addresses of a Service, IPv4 before IPv6, then ascending. */
  addressesOf(service: ServiceName): readonly Address[] {
    return this.#byService.get(serviceKey(service));
  }

  /** The addresses that Services share under the key, IPv4 before IPv6, then ascending. */
  sharedUnder(key: string): readonly Address[] {
    return this.#bySharingKey.get(key);
  }

  /** The lowest address of the range that nobody holds, leaving out those ending .0 and .255 if asked. */
  lowestFree(range: Range, avoidBuggyIps = false): Address | undefined {
    return this.#families[range.first.family].lowestFree(range, avoidBuggyIps);
  }

  /** How many addresses of the range are held, by whomever. */
  countIn(range: Range): bigint {
    return this.#families[range.first.family].taken.countBetween(range.first.value, range.last.value);
  }

  /** How many addresses of the range Services hold. */
  countServicesIn(range: Range): bigint {
    const { taken, ofOthers } = this.#families[range.first.family];
    const [first, last] = [range.first.value, range.last.value];
    return taken.countBetween(first, last) - ofOthers.countBetween(first, last);
  }

  /** How many addresses of the range nobody holds, leaving out those ending .0 and .255 if asked. */
  countFreeIn(range: Range, avoidBuggyIps = false): bigint {
    const { taken, takenBuggy } = this.#families[range.first.family];
    const [first, last] = [range.first.value, range.last.value];
    const held = taken.countBetween(first, last) - (avoidBuggyIps ? takenBuggy.countBetween(first, last) : 0n);
    return countUsable(range, avoidBuggyIps) - held;
  }

  /** Every address that is held, with its holder, in no order. */
  *held(): Generator<readonly [Address, Holder]> {
    for (const family of [this.#families.IPv4, this.#families.IPv6]) {
      for (const [value, holder] of family.holders) yield [{ family: family.family, value }, holder];
    }
  }
}

/** Addresses by a text: a Service's name, or a sharing key. */
class AddressIndex {
  readonly #addresses = new Map<string, Map<string, Address>>();

  add(text: string, address: Address): void {
    const addresses = this.#addresses.get(text) ?? new Map<string, Address>();
    this.#addresses.set(text, addresses.set(addressKey(address), address));
  }

  remove(text: string, address: Address): void {
    const addresses = this.#addresses.get(text);
    addresses?.delete(addressKey(address));
    if (addresses?.size === 0) this.#addresses.delete(text);
  }

  get(text: string): readonly Address[] {
    return [...(this.#addresses.get(text)?.values() ?? [])].toSorted(compareAddresses);
  }
}

/** The keys under which the holder lets others in; the empty key lets nobody in. */
const sharingKeys = (holder: Holder): Iterable<string> => {
  if (holder.kind !== "shared") return [];
  const keys = holder.sharers.flatMap(({ terms }) => terms.map(({ key }) => key));
  return new Set(keys.filter((key) => key !== ""));
};

/** The held addresses of one family. */
class FamilyOccupancy {
  readonly family: Family;
  readonly holders = new Map<bigint, Holder>();
  readonly taken = new IntervalSet();
  /** Those of `taken` that no Service holds: the fewer, so that bursts of Services pay nothing for the count. */
  readonly ofOthers = new IntervalSet();
  /** Those of `taken` that end in .0 or .255. */
  readonly takenBuggy = new IntervalSet();
  /**
   * `taken`, plus the addresses ending .0 and .255 beside a taken one (others are left out of answers one by one):
   * a full pool that avoids them is one interval here, not one for every 254 addresses.
   */
  readonly #takenOrBuggy = new IntervalSet();

  constructor(family: Family) {
    this.family = family;
  }

  take(address: Address, holder: Holder): void {
    const { value } = address;
    this.holders.set(value, holder);
    this.taken.add(value, value);
    if (holder.kind === "other") this.ofOthers.add(value, value);
    if (isBuggyAddress(address)) this.takenBuggy.add(value, value);
    if (this.family === "IPv4") this.#takenOrBuggy.add(...withBuggyNeighbours(value));
  }

  release(address: Address): void {
    const { value } = address;
    this.holders.delete(value);
    this.taken.remove(value);
    this.ofOthers.remove(value);
    this.takenBuggy.remove(value);
    if (this.family === "IPv4" && !isBuggyAddress(address)) this.#takenOrBuggy.remove(value);
  }

  lowestFree(range: Range, avoidBuggyIps: boolean): Address | undefined {
    const { family } = this;
    const avoids = avoidBuggyIps && family === "IPv4";
    const taken = avoids ? this.#takenOrBuggy : this.taken;
    let value = taken.nextAbsent(range.first.value);
    while (avoids && value <= range.last.value && isBuggyAddress({ family, value }))
      value = taken.nextAbsent(value + 1n);
    return value <= range.last.value ? { family, value } : undefined;
  }
}

/** The first and last of the address and the addresses ending .255 and .0 right beside it. */
function withBuggyNeighbours(value: bigint): [bigint, bigint] {
  const lastByte = value & 0xffn;
  const below = lastByte === 1n ? 2n : lastByte === 0n ? 1n : 0n;
  const above = lastByte === 254n ? 2n : lastByte === 255n ? 1n : 0n;
  const first = value - below;
  const last = value + above;
  const highest = (1n << BigInt(addressBits("IPv4"))) - 1n;
  return [first < 0n ? 0n : first, last > highest ? highest : last];
}

const serviceKey = (service: ServiceName): string => `${service.namespace}/${service.name}`;
const addressKey = (address: Address): string => `${address.family} ${address.value.toString(16)}`;
