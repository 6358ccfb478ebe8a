import { expect, test } from "vitest";
import type { ClaimState } from "../../../core/allocation/release.ts";
import { releaseInMillis } from "../../../core/allocation/release.ts";

test.each<{ rule: string; state: ClaimState; millis: number | undefined }>([
  {
    rule: "a claim whose Service lists it stays",
    state: { service: "lists", deletedMillisAgo: undefined, knownMillis: 999_999 },
    millis: undefined,
  },
  {
    rule: "a claim that its Service lists again stays, deleted in between or not",
    state: { service: "lists", deletedMillisAgo: 5_000, knownMillis: 0 },
    millis: undefined,
  },
  {
    rule: "a claim whose Service is not stored yet waits a minute",
    state: { service: "absent", deletedMillisAgo: undefined, knownMillis: 10_000 },
    millis: 50_000,
  },
  {
    rule: "a claim that its Service does not list waits a minute",
    state: { service: "other", deletedMillisAgo: undefined, knownMillis: 60_000 },
    millis: 0,
  },
  {
    rule: "a claim of a deleted Service waits two seconds for it to come back",
    state: { service: "absent", deletedMillisAgo: 500, knownMillis: 999_999 },
    millis: 1_500,
  },
  {
    rule: "a claim of a Service that came back waits for it to list the address",
    state: { service: "other", deletedMillisAgo: 5_000, knownMillis: 1_000 },
    millis: 59_000,
  },
])("$rule", ({ state, millis }) => {
  expect(releaseInMillis(state)).toBe(millis);
});
