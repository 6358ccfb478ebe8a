import fc from "fast-check";
import { expect, it } from "vitest";
import { rangesOverlap } from "../../../core/address/range.ts";
import { findOverlap, usablePools } from "../../../core/pool/overlap.ts";
import { crowdedPools } from "../../support/generators.ts";
import { poolFrom, poolInput, rangeFrom } from "../builders.ts";

const born = (creationTimestamp: string, name: string, addresses: readonly string[]) => {
  const input = poolInput(name, addresses);
  return { ...input, metadata: { ...input.metadata, creationTimestamp } };
};

it("findOverlap names the other pool and both ranges", () => {
  const pool = poolFrom("b", ["10.1.0.0/24", "10.0.0.250-10.0.1.9"]);
  expect(findOverlap(pool, [poolFrom("c", ["10.2.0.0/24"]), poolFrom("a", ["10.0.0.0/24"])])).toEqual({
    kind: "poolOverlap",
    pool: "network/b",
    range: rangeFrom("10.0.0.250-10.0.1.9"),
    other: "network/a",
    otherRange: rangeFrom("10.0.0.0/24"),
  });
});

it("findOverlap lets a pool overlap its own older version", () => {
  expect(findOverlap(poolFrom("a", ["10.0.0.0/23"]), [poolFrom("a", ["10.0.0.0/24"])])).toBeUndefined();
});

it("of two overlapping pools the older counts, whatever its name", () => {
  const older = born("2026-01-01T00:00:00Z", "z", ["10.0.0.0/24"]);
  const younger = born("2026-01-02T00:00:00Z", "a", ["10.0.0.0/25"]);
  const { usable, inert } = usablePools([younger, older]);
  expect(usable.map((pool) => pool.key)).toEqual(["network/z"]);
  expect(inert).toMatchObject([{ key: "network/a", refusal: { kind: "poolOverlap", other: "network/z" } }]);
});

it("of two equally old pools the first by name counts", () => {
  const pools = ["b", "a"].map((name) => born("2026-01-01T00:00:00Z", name, ["10.0.0.0/24"]));
  expect(usablePools(pools).usable.map((pool) => pool.key)).toEqual(["network/a"]);
});

it("an inert pool stands in nobody's way", () => {
  const pools = [
    born("2026-01-01T00:00:00Z", "a", ["10.0.0.0/24"]),
    born("2026-01-02T00:00:00Z", "b", ["10.0.0.255-10.0.1.9"]),
    born("2026-01-03T00:00:00Z", "c", ["10.0.1.0/24"]),
  ];
  expect(usablePools(pools).usable.map((pool) => pool.name)).toEqual(["a", "c"]);
});

it("a malformed pool is inert with its reason", () => {
  const { usable, inert } = usablePools([poolInput("a", ["lan"]), poolInput("b", ["10.0.0.0/24"])]);
  expect(usable.map((pool) => pool.name)).toEqual(["b"]);
  expect(inert).toMatchObject([{ key: "network/a", refusal: { kind: "badRange" } }]);
});

it("usable pools never overlap, every pool is in one list, and the order of the input changes nothing", () => {
  fc.assert(
    fc.property(crowdedPools, (inputs) => {
      const result = usablePools(inputs);
      expect(usablePools(inputs.toReversed())).toEqual(result);
      expect(result.usable.length + result.inert.length).toBe(inputs.length);
      const ranges = result.usable.flatMap((pool) => pool.ranges);
      const met = ranges.filter((a, i) => ranges.some((b, j) => i !== j && rangesOverlap(a, b)));
      expect(met).toEqual([]);
      for (const { refusal } of result.inert) expect(refusal.kind).toBe("poolOverlap");
    }),
  );
});
