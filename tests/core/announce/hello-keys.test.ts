import fc from "fast-check";
import { expect, it, test } from "vitest";
import { rotate, type HelloKeys, type Rotation } from "../../../core/announce/hello-keys.ts";

const HOUR = 3_600;
const DAY = 86_400;
const PERIOD = 30 * DAY;
const NOW = 1_800_000_000;
const key = "A".repeat(43) + "=";
const keysOf = (...names: readonly string[]): HelloKeys => Object.fromEntries(names.map((name) => [name, key]));
const NOTHING: Rotation = { add: undefined, restore: {}, remove: [] };
const made = (secondsAgo: number): string => `key-${String(NOW - secondsAgo)}`;

type Case = {
  rule: string;
  found: HelloKeys;
  known?: HelloKeys;
  add?: string;
  restore?: HelloKeys;
  remove?: readonly string[];
};

test.each<Case>([
  { rule: "the first key is made at once", found: {}, add: made(0) },
  { rule: "a young key stays alone", found: keysOf(made(PERIOD - 1)) },
  { rule: "a key that is old enough gets a follower and stays", found: keysOf(made(PERIOD)), add: made(0) },
  { rule: "two keys stay while the newer is young", found: keysOf(made(PERIOD + DAY), made(DAY)) },
  {
    rule: "the one before the newest stays when a third comes, since it may sign still",
    found: keysOf(made(2 * PERIOD), made(PERIOD)),
    add: made(0),
  },
  {
    rule: "the oldest of three goes when a fourth comes",
    found: keysOf(made(3 * PERIOD), made(2 * PERIOD), made(PERIOD)),
    add: made(0),
    remove: [made(3 * PERIOD)],
  },
  {
    rule: "of four the oldest goes",
    found: keysOf(made(4), made(3), made(2), made(1)),
    remove: [made(4)],
  },
  {
    rule: "a key of another length is none",
    found: { [made(1)]: "c2hvcnQ=" },
    add: made(0),
    remove: [made(1)],
  },
  { rule: "a name that tells no time is none", found: keysOf("key-x"), add: made(0), remove: ["key-x"] },
  { rule: "what has another name is left alone", found: { ...keysOf(made(1)), note: "mine" } },
  { rule: "a key from the future, by another clock, is the newest", found: keysOf(made(-DAY)) },
  {
    rule: "when all are deleted they come back, and a deletion is a rotation",
    found: {},
    known: keysOf(made(3 * DAY), made(2 * DAY), made(DAY)),
    add: made(0),
    restore: keysOf(made(2 * DAY), made(DAY)),
  },
  {
    rule: "a second deletion within the hour is no rotation, since the newest has yet to reach every node",
    found: {},
    known: keysOf(made(3 * DAY), made(2 * DAY), made(HOUR - 1)),
    restore: keysOf(made(3 * DAY), made(2 * DAY), made(HOUR - 1)),
  },
  {
    rule: "one that was taken out comes back, and nothing else changes",
    found: keysOf(made(3 * DAY), made(DAY)),
    known: keysOf(made(3 * DAY), made(2 * DAY), made(DAY)),
    restore: keysOf(made(2 * DAY)),
  },
  {
    rule: "one that was damaged is as it was",
    found: { ...keysOf(made(2 * DAY)), [made(DAY)]: "c2hvcnQ=" },
    known: keysOf(made(2 * DAY), made(DAY)),
    restore: keysOf(made(DAY)),
  },
  {
    rule: "one that another watcher has rotated away stays away",
    found: keysOf(made(2 * DAY), made(DAY), made(1)),
    known: keysOf(made(3 * DAY), made(2 * DAY), made(DAY)),
  },
  {
    rule: "a Secret that was made anew without the keys that are known has them again",
    found: keysOf(made(1)),
    known: keysOf(made(3 * DAY), made(2 * DAY), made(DAY)),
    restore: keysOf(made(2 * DAY), made(DAY)),
  },
])("$rule", ({ found, known = {}, add, restore = {}, remove = [] }) => {
  const isNothing = add === undefined && remove.length === 0 && Object.keys(restore).length === 0;
  expect(rotate({ found, known }, NOW, PERIOD)).toEqual(isNothing ? undefined : { add, restore, remove });
});

it("two keys are made an hour apart, however short the period", () => {
  expect(rotate({ found: keysOf(made(HOUR - 1)), known: {} }, NOW, 1)).toBeUndefined();
  expect(rotate({ found: keysOf(made(HOUR)), known: {} }, NOW, 1)).toMatchObject({ add: made(0) });
});

it("whatever the clock and people do, there are up to three keys, names grow, and the two newest before always stay", () => {
  const step = fc.record({
    jump: fc.integer({ min: -3 * PERIOD, max: 3 * PERIOD }),
    lost: fc.subarray([0, 1, 2]),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let known: HelloKeys = {};
      let now = NOW * 2;
      for (const { jump, lost } of steps) {
        now += jump;
        const before = Object.keys(known).toSorted();
        const left = keysOf(...before.filter((_, index) => !lost.includes(index)));
        const { add, restore, remove } = rotate({ found: left, known }, now, PERIOD) ?? NOTHING;
        const kept = Object.keys({ ...left, ...restore }).filter((name) => !remove.includes(name));
        known = keysOf(...kept, ...(add === undefined ? [] : [add]));
        expect([1, 2, 3]).toContain(Object.keys(known).length);
        expect(Object.keys(known)).toEqual(expect.arrayContaining(before.slice(-2)));
        if (add !== undefined) expect(add > (before.at(-1) ?? "")).toBe(true);
        expect(rotate({ found: known, known }, now, PERIOD)).toBeUndefined();
      }
    }),
  );
});
