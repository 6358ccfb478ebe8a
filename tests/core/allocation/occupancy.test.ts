import fc from "fast-check";
import { expect, it, test } from "vitest";
import type { Address } from "../../../core/address/address.ts";
import { compareAddresses, isBuggyAddress, printAddress } from "../../../core/address/address.ts";
import type { Range } from "../../../core/address/range.ts";
import { rangeContains } from "../../../core/address/range.ts";
import type { Holder } from "../../../core/allocation/holder.ts";
import { sameHolder } from "../../../core/allocation/holder.ts";
import { Occupancy } from "../../../core/allocation/occupancy.ts";
import { crowdedAddress } from "../../support/generators.ts";
import { addressFrom, occupancyOf, other, rangeFrom, web } from "../builders.ts";

it("the first holder keeps the address", () => {
  const occupancy = occupancyOf("10.0.0.1");
  expect(occupancy.take(addressFrom("10.0.0.1"), web)).toBe(false);
  expect(occupancy.take(addressFrom("10.0.0.1"), other)).toBe(true);
  expect(occupancy.holderOf(addressFrom("10.0.0.1"))).toEqual(other);
  expect(occupancy.addressesOf({ namespace: "default", name: "web" })).toEqual([]);
});

it("only the holder that is named loses the address", () => {
  const occupancy = occupancyOf("10.0.0.1");
  expect(occupancy.release(addressFrom("10.0.0.1"), web)).toBe(false);
  expect(occupancy.release(addressFrom("10.0.0.1"), other)).toBe(true);
  expect(occupancy.release(addressFrom("10.0.0.1"))).toBe(false);
});

test.each([
  { taken: [], range: "10.0.0.0/24", avoid: false, free: "10.0.0.0" },
  { taken: [], range: "10.0.0.0/24", avoid: true, free: "10.0.0.1" },
  { taken: ["10.0.0.0", "10.0.0.1"], range: "10.0.0.0/24", avoid: false, free: "10.0.0.2" },
  { taken: ["10.0.0.254"], range: "10.0.0.254-10.0.1.9", avoid: true, free: "10.0.1.1" },
  { taken: ["10.0.0.254", "10.0.1.1"], range: "10.0.0.254-10.0.1.9", avoid: true, free: "10.0.1.2" },
  { taken: ["10.0.0.7"], range: "10.0.0.7/32", avoid: false, free: undefined },
  { taken: [], range: "10.0.0.255-10.0.1.0", avoid: true, free: undefined },
  { taken: ["255.255.255.254"], range: "255.255.255.254/31", avoid: true, free: undefined },
  { taken: ["fd00::"], range: "fd00::/64", avoid: true, free: "fd00::1" },
])(
  "with $taken held, the lowest free of $range (avoiding buggy ones $avoid) is $free",
  ({ taken, range, avoid, free }) => {
    const found = occupancyOf(...taken).lowestFree(rangeFrom(range), avoid);
    expect(found === undefined ? undefined : printAddress(found)).toBe(free);
  },
);

it("an address that was released is the lowest free again", () => {
  const occupancy = occupancyOf("10.0.0.1", "10.0.0.2", "10.0.0.3");
  occupancy.release(addressFrom("10.0.0.2"));
  expect(occupancy.lowestFree(rangeFrom("10.0.0.1-10.0.0.9"), true)).toEqual(addressFrom("10.0.0.2"));
});

/** What the index must equal: a list that is searched one by one. */
class NaiveModel {
  held: { address: Address; holder: Holder }[] = [];

  find = (address: Address) => this.held.find((entry) => compareAddresses(entry.address, address) === 0);

  lowestFree({ first, last }: Range, avoid: boolean): Address | undefined {
    for (let value = first.value; value <= last.value; value++) {
      const address = { family: first.family, value };
      if (this.find(address) === undefined && !(avoid && isBuggyAddress(address))) return address;
    }
    return undefined;
  }
}

type Step = { readonly does: "take" | "release" | "releaseAny"; readonly address: Address; readonly holder: Holder };

const holder = fc.constantFrom<Holder>(web, other, { kind: "other", what: "ClusterIP" });
const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom("take", "take", "release", "releaseAny"),
  address: crowdedAddress,
  holder,
});

function applyTo(model: NaiveModel, { does, address, holder: who }: Step): boolean {
  const entry = model.find(address);
  if (does === "take" && entry === undefined) model.held.push({ address, holder: who });
  if (does === "take") return entry === undefined || sameHolder(entry.holder, who);
  if (entry === undefined || (does === "release" && !sameHolder(entry.holder, who))) return false;
  model.held = model.held.filter((one) => one !== entry);
  return true;
}

function applyToIndex(occupancy: Occupancy, { does, address, holder: who }: Step): boolean {
  if (does === "take") return occupancy.take(address, who);
  return does === "release" ? occupancy.release(address, who) : occupancy.release(address);
}

it("the index equals a list that is searched one by one", () => {
  const ranges = [rangeFrom("10.0.0.0-10.0.2.88"), rangeFrom("10.0.0.250-10.0.1.5"), rangeFrom("::a00:0-::a00:258")];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
      const [model, occupancy] = [new NaiveModel(), new Occupancy()];
      for (const one of steps) expect(applyToIndex(occupancy, one)).toBe(applyTo(model, one));
      for (const { address, holder: who } of model.held) expect(occupancy.holderOf(address)).toEqual(who);
      expect([...occupancy.held()].length).toBe(model.held.length);
      for (const range of ranges) {
        expect(occupancy.countIn(range)).toBe(
          BigInt(model.held.filter(({ address }) => rangeContains(range, address)).length),
        );
        expect(occupancy.lowestFree(range)).toEqual(model.lowestFree(range, false));
        expect(occupancy.lowestFree(range, true)).toEqual(model.lowestFree(range, true));
      }
      const ofWeb = model.held.filter((entry) => sameHolder(entry.holder, web)).map(({ address }) => address);
      expect(occupancy.addressesOf({ namespace: "default", name: "web" })).toEqual(ofWeb.toSorted(compareAddresses));
    }),
    { numRuns: 60 },
  );
});

it("holds a hundred thousand scattered addresses and gives every one back", () => {
  const occupancy = new Occupancy();
  const range = rangeFrom("10.0.0.0-10.3.13.63"); // 200,000 addresses
  const at = (i: number): Address => ({ family: "IPv4", value: range.first.value + BigInt((i * 7919) % 200_000) });
  for (let i = 0; i < 100_000; i++) occupancy.take(at(i), web);
  expect(occupancy.countIn(range)).toBe(100_000n);
  for (let i = 0; i < 100_000; i++) occupancy.release(at(i));
  expect(occupancy.countIn(range)).toBe(0n);
  expect(occupancy.lowestFree(range)).toEqual(range.first);
});

const node: Holder = { kind: "other", what: 'Node "node-1"' };
const terms = [{ key: "dns", ports: ["TCP/53"], backend: "cluster" }];
const sharers: Holder = { kind: "shared", sharers: ["a", "b"].map((name) => ({ namespace: "x", name, terms })) };

test.each([
  { range: "10.0.0.0/24", avoid: false, ofServices: 2n, free: 252n },
  { range: "10.0.0.0/24", avoid: true, ofServices: 2n, free: 252n },
  { range: "10.0.0.2-10.0.0.4", avoid: false, ofServices: 1n, free: 2n },
  { range: "10.0.0.255-10.0.1.0", avoid: true, ofServices: 1n, free: 0n },
  { range: "10.0.1.0/24", avoid: false, ofServices: 0n, free: 256n },
  { range: "fd00::/64", avoid: true, ofServices: 1n, free: 2n ** 64n - 1n },
])(
  "of $range, Services hold $ofServices and $free are free, avoiding buggy ones $avoid",
  ({ range, avoid, ofServices, free }) => {
    const occupancy = occupancyOf("10.0.0.2", "10.0.0.255", "fd00::");
    for (const text of ["10.0.0.7", "10.0.0.0"]) occupancy.take(addressFrom(text), node);
    expect(occupancy.countServicesIn(rangeFrom(range))).toBe(ofServices);
    expect(occupancy.countFreeIn(rangeFrom(range), avoid)).toBe(free);
  },
);

const isOfServices = (holder: Holder | undefined): boolean => holder !== undefined && holder.kind !== "other";

it("the counts are those of counting one by one, whatever was taken and released", () => {
  const steps = fc.array(
    fc.record({ address: crowdedAddress, takes: fc.boolean(), holder: fc.constantFrom(web, node, sharers) }),
  );
  fc.assert(
    fc.property(steps, fc.nat({ max: 600 }), fc.nat({ max: 300 }), fc.boolean(), (history, start, length, avoid) => {
      const occupancy = new Occupancy();
      for (const { address, takes, holder } of history) {
        if (takes) occupancy.take(address, holder);
        else occupancy.release(address);
      }
      const at = (offset: number): Address => ({ family: "IPv4", value: 0x0a00_0000n + BigInt(offset) });
      const range: Range = { first: at(start), last: at(start + length) };
      const all = Array.from({ length: length + 1 }, (_, index) => at(start + index));
      const isFree = (one: Address) => occupancy.holderOf(one) === undefined && !(avoid && isBuggyAddress(one));
      expect(occupancy.countFreeIn(range, avoid)).toBe(BigInt(all.filter(isFree).length));
      const held = all.filter((one) => isOfServices(occupancy.holderOf(one)));
      expect(occupancy.countServicesIn(range)).toBe(BigInt(held.length));
    }),
  );
});
