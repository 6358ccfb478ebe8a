import fc from "fast-check";
import { expect, it } from "vitest";
import { rangeContains } from "../../../core/address/range.ts";
import { PoolIndex } from "../../../core/announce/pool-index.ts";
import { usablePools } from "../../../core/pool/overlap.ts";
import { addressFrom, poolFrom } from "../builders.ts";
import { crowdedAddress, crowdedPools } from "../../support/generators.ts";

it("finds the pool that has the address, a usable one before any that is inert", () => {
  fc.assert(
    fc.property(crowdedPools, fc.array(crowdedAddress), (inputs, addresses) => {
      const { usable, inert } = usablePools(inputs);
      const index = new PoolIndex(usable, inert);
      const ends = [...usable, ...inert].flatMap(({ ranges }) => ranges.flatMap(({ first, last }) => [first, last]));
      for (const address of [...addresses, ...ends]) {
        const pool = [...usable, ...inert].find(({ ranges }) => ranges.some((range) => rangeContains(range, address)));
        expect(index.find(address)).toBe(pool?.key);
      }
    }),
  );
});

it("keeps the families apart", () => {
  const index = new PoolIndex([poolFrom("lan", ["192.168.1.0/24"]), poolFrom("six", ["fd00::/120"])]);
  expect(
    ["192.168.1.255", "192.168.2.0", "fd00::ff", "fd00::100", "::1"].map((ip) => index.find(addressFrom(ip))),
  ).toEqual(["network/lan", undefined, "network/six", undefined, undefined]);
});

it("equals another one of the same ranges, and no other", () => {
  const [lan, dmz] = [poolFrom("lan", ["192.168.1.0/24"]), poolFrom("dmz", ["10.0.0.0/24"])];
  expect(new PoolIndex([lan, dmz]).equals(new PoolIndex([dmz, lan]))).toBe(true);
  for (const other of [[lan], [lan, poolFrom("dmz", ["10.0.0.0/25"])], [lan, poolFrom("other", ["10.0.0.0/24"])]]) {
    expect(new PoolIndex([lan, dmz]).equals(new PoolIndex(other))).toBe(false);
    expect(new PoolIndex([], [lan, dmz]).equals(new PoolIndex([], other))).toBe(false);
  }
});
