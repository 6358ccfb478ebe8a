import { describe, expect, test } from "vitest";
import { MARGIN_MILLIS, movesOf, routesOf, traceResets, type Move, type Reset } from "./moves.ts";

const ADDRESS = "192.168.1.100";
const OTHER = "192.168.1.101";
/** 2026-01-01 12:00:00 UTC. */
const NOON = 1_767_268_800_000;

const sighting = (millis: number, node: string, address = ADDRESS) => ({ millis: NOON + millis, address, node });
const move = (millis: number, address = ADDRESS): Move => ({
  millis: NOON + millis,
  address,
  from: "node-1",
  to: "node-2",
});
const reset = (opened: number, ended: number): Reset => ({
  address: ADDRESS,
  openedMillis: NOON + opened,
  resetMillis: NOON + ended,
});

describe("moves", () => {
  test("an address moves when another node than before is seen to speak for it", () => {
    const seen = [sighting(0, "node-1"), sighting(5, "node-1"), sighting(10, "node-2"), sighting(20, "node-2")];
    expect(movesOf(seen)).toEqual([move(10)]);
  });

  test("an address that goes back has moved twice", () => {
    const seen = [sighting(0, "node-1"), sighting(10, "node-2"), sighting(20, "node-1")];
    expect(movesOf(seen).map(({ from, to }) => `${from} ${to}`)).toEqual(["node-1 node-2", "node-2 node-1"]);
  });

  test("addresses move apart from each other", () => {
    const seen = [sighting(0, "node-1"), sighting(1, "node-2", OTHER), sighting(2, "node-1")];
    expect(movesOf(seen)).toEqual([]);
  });

  test("the order of sightings is that of their times", () => {
    const seen = [sighting(20, "node-2"), sighting(10, "node-2"), sighting(0, "node-1")];
    expect(movesOf(seen)).toEqual([move(10)]);
  });

  test("a route tells how often an address moved, and where it was", () => {
    const seen = [sighting(0, "node-1"), sighting(10, "node-2"), sighting(20, "node-3"), sighting(0, "node-1", OTHER)];
    expect(routesOf([ADDRESS, OTHER], movesOf(seen))).toEqual({
      [ADDRESS]: "2: node-1, node-2, node-3",
      [OTHER]: "0: ",
    });
  });
});

describe("resets", () => {
  test.each([
    { what: "between the opening and the reset", at: 105 },
    { what: "with the opening", at: 100 },
    { what: "with the reset", at: 110 },
    { what: "noted a margin after the reset", at: 110 + MARGIN_MILLIS },
  ])("a connection that was open at a move $what fell on it", ({ at }) => {
    expect(traceResets([reset(100, 110)], [move(at)])).toEqual({
      traced: [{ ...reset(100, 110), move: move(at) }],
      faults: [],
    });
  });

  test.each([
    { what: "before the opening", moves: [move(99)] },
    { what: "more than a margin after the reset", moves: [move(111 + MARGIN_MILLIS)] },
    { what: "of another address", moves: [move(105, OTHER)] },
    { what: "that never was", moves: [] },
  ])("no reset is put down to a move $what", ({ moves }) => {
    const { traced, faults } = traceResets([reset(100, 110)], moves);
    expect(traced).toEqual([]);
    expect(faults).toHaveLength(1);
  });

  test("of two moves while a connection was open the last is named", () => {
    const { traced } = traceResets([reset(100, 110)], [move(101), move(109)]);
    expect(traced.map((one) => one.move)).toEqual([move(109)]);
  });

  test("a reset that fell on no move is told with all moves of its address", () => {
    const { faults } = traceResets([reset(100, 112)], [move(50), move(60, OTHER), move(500)]);
    expect(faults).toEqual([
      `a connection to ${ADDRESS}, opened at 12:00:00.100 and reset 12 ms later, was open at no move of that address: ` +
        "it moved from node-1 to node-2 at 12:00:00.050, from node-1 to node-2 at 12:00:00.500",
    ]);
  });

  test("a reset of an address that never moved is told so", () => {
    expect(traceResets([reset(0, 5)], [move(1, OTHER)]).faults[0]).toMatch(/: it never moved$/);
  });
});
