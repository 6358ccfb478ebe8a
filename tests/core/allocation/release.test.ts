import { describe, expect, it, test } from "vitest";
import type { ClaimState } from "../../../core/allocation/release.ts";
import { releaseInMillis, restsForMillis } from "../../../core/allocation/release.ts";

test.each<{ rule: string; state: ClaimState; millis: number | undefined }>([
  {
    rule: "a claim whose Service lists it stays",
    state: { service: "lists", isSettled: true, knownMillis: 999_999 },
    millis: undefined,
  },
  {
    rule: "a claim whose Service is not stored yet waits a minute",
    state: { service: "absent", isSettled: false, knownMillis: 10_000 },
    millis: 50_000,
  },
  {
    rule: "a claim that its Service does not list, and that may be of an update on its way, waits a minute",
    state: { service: "other", isSettled: false, knownMillis: 60_000 },
    millis: 0,
  },
  {
    rule: "a claim of a deleted Service waits two seconds for it to come back",
    state: { service: "absent", isSettled: true, knownMillis: 500 },
    millis: 1_500,
  },
  {
    rule: "a claim that its Service gave up waits two seconds for it to want it again",
    state: { service: "other", isSettled: true, knownMillis: 0 },
    millis: 2_000,
  },
])("$rule", ({ state, millis }) => {
  expect(releaseInMillis(state)).toBe(millis);
});

describe("an address that rests", () => {
  it.each([
    { rule: "goes after the cool-down of its pool", since: 1_000, now: 4_000, known: 0, millis: 27_000 },
    { rule: "is free to go when that is over", since: 1_000, now: 40_000, known: 0, millis: -9_000 },
    { rule: "has rested for as long as it was seen to", since: 90_000, now: 1_000, known: 25_000, millis: 5_000 },
    {
      rule: "that rests since no time that can be read goes after once more",
      since: Number.NaN,
      now: 1_000,
      known: 30_000,
      millis: 0,
    },
  ])("$rule", ({ since, now, known, millis }) => {
    expect(restsForMillis({ sinceMillis: since, nowMillis: now, knownMillis: known }, 30_000)).toBe(millis);
  });
});
