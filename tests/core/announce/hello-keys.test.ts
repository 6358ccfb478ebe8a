import fc from "fast-check";
import { expect, it, test } from "vitest";
import { rotate, type HelloKeys } from "../../../core/announce/hello-keys.ts";

const DAY = 86_400;
const PERIOD = 30 * DAY;
const NOW = 1_800_000_000;
const key = "A".repeat(43) + "=";
const keysOf = (...names: readonly string[]): HelloKeys => Object.fromEntries(names.map((name) => [name, key]));
const made = (secondsAgo: number): string => `key-${String(NOW - secondsAgo)}`;

test.each<{ rule: string; found: HelloKeys; add?: string; remove?: readonly string[] }>([
  { rule: "the first key is made at once", found: {}, add: made(0) },
  { rule: "a young key stays alone", found: keysOf(made(PERIOD - 1)) },
  { rule: "a key that is old enough gets a follower and stays", found: keysOf(made(PERIOD)), add: made(0) },
  { rule: "two keys stay while the newer is young", found: keysOf(made(PERIOD + DAY), made(DAY)) },
  {
    rule: "the older of two goes when a third comes, so a key is known for two periods",
    found: keysOf(made(2 * PERIOD), made(PERIOD)),
    add: made(0),
    remove: [made(2 * PERIOD)],
  },
  {
    rule: "of three the oldest goes",
    found: keysOf(made(3), made(2), made(1)),
    remove: [made(3)],
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
])("$rule", ({ found, add, remove = [] }) => {
  const isNothing = add === undefined && remove.length === 0;
  expect(rotate(found, NOW, PERIOD)).toEqual(isNothing ? undefined : { add, remove });
});

it("whatever the clock does, there are one or two keys, names grow, and the newest before always stays", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3 * PERIOD, max: 3 * PERIOD })), (jumps) => {
      let found: HelloKeys = {};
      let now = NOW * 2;
      for (const jump of jumps) {
        now += jump;
        const newest = Object.keys(found).toSorted().at(-1);
        const { add, remove } = rotate(found, now, PERIOD) ?? { add: undefined, remove: [] };
        const kept = Object.keys(found).filter((name) => !remove.includes(name));
        found = keysOf(...kept, ...(add === undefined ? [] : [add]));
        expect([1, 2]).toContain(Object.keys(found).length);
        if (newest !== undefined) expect(Object.keys(found)).toContain(newest);
        if (newest !== undefined && add !== undefined) expect(add > newest).toBe(true);
        expect(rotate(found, now, PERIOD)).toBeUndefined();
      }
    }),
  );
});
