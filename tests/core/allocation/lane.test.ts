import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { printAddress } from "../../../core/address/address.ts";
import { allocate } from "../../../core/allocation/allocate.ts";
import { laneOf, lowestFreeOfLane, otherLane, type Lane } from "../../../core/allocation/lane.ts";
import { addressFrom, occupancyOf, poolFrom, rangeFrom, requestFrom, valueOf } from "../builders.ts";

/** The address that "default/web" is given while it keeps to the lane. */
const given = (lane: Lane | undefined, ranges: readonly string[], held: readonly string[] = []): string =>
  valueOf(allocate(requestFrom(), { pools: [poolFrom("lan", ranges)], occupancy: occupancyOf(...held), lane }))
    .addresses.map(printAddress)
    .join();

test.each<{ row: string; lane: Lane | undefined; ranges: readonly string[]; held?: readonly string[]; gives: string }>([
  { row: "no lane: the lowest", lane: undefined, ranges: ["10.0.0.1-10.0.0.9"], gives: "10.0.0.1" },
  { row: "the lane of the lowest", lane: 1n, ranges: ["10.0.0.1-10.0.0.9"], gives: "10.0.0.1" },
  { row: "the other lane: the one after", lane: 0n, ranges: ["10.0.0.1-10.0.0.9"], gives: "10.0.0.2" },
  {
    row: "held ones are passed over",
    lane: 0n,
    ranges: ["10.0.0.1-10.0.0.9"],
    held: ["10.0.0.2", "10.0.0.3", "10.0.0.4"],
    gives: "10.0.0.6",
  },
  { row: "none of the lane is left: the lowest", lane: 0n, ranges: ["10.0.0.1/32"], gives: "10.0.0.1" },
  {
    row: "the first range that has one serves, of whichever lane",
    lane: 0n,
    ranges: ["10.0.0.1/32", "10.0.0.4/30"],
    gives: "10.0.0.1",
  },
])("$row", ({ lane, ranges, held = [], gives }) => {
  expect(given(lane, ranges, held)).toBe(gives);
});

it("leaves out a few at most, however many of the lane are held", () => {
  const evens = Array.from({ length: 100 }, (_, index) => `10.0.0.${String(2 * index)}`);
  expect(given(0n, ["10.0.0.0/24"], evens)).toBe("10.0.0.1");
});

describe("of any range, whatever is held", () => {
  const held = fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 41 });
  const lane = fc.constantFrom<Lane>(0n, 1n);
  const range = rangeFrom("10.0.0.0-10.0.0.40");

  test("an address is given if and only if one is free, and two lanes give two", () => {
    fc.assert(
      fc.property(held, lane, (places, mine) => {
        const occupancy = occupancyOf(...places.map((place) => `10.0.0.${String(place)}`));
        const lowestFree = (one: typeof range) => occupancy.lowestFree(one);
        const ours = lowestFreeOfLane(mine, range, lowestFree);
        const theirs = lowestFreeOfLane(otherLane(mine), range, lowestFree);
        expect(ours === undefined).toBe(places.length === 41);
        if (ours === undefined || theirs === undefined) return;
        expect(occupancy.holderOf(ours)).toBeUndefined();
        expect(ours.value <= range.last.value && ours.value >= range.first.value).toBe(true);
        if (laneOf(ours) === mine && laneOf(theirs) !== mine) expect(ours.value).not.toBe(theirs.value);
      }),
    );
  });

  test("an address is of one lane", () => {
    expect([laneOf(addressFrom("10.0.0.2")), laneOf(addressFrom("fd00::3"))]).toEqual([0n, 1n]);
  });
});
