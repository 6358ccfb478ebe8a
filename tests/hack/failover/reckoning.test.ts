import { expect, test } from "vitest";
import { experienceOf, longestGap, twoAnsweredMillis, type Seen } from "../../../hack/src/failover/reckoning.ts";

const stretch = { from: 100, to: 200 };

test.each([
  { times: [90, 110, 150, 190, 210], gap: 40, why: "between two within" },
  { times: [40, 110, 190, 210], gap: 80, why: "between two within, longer than the one that began before" },
  { times: [20, 150, 200], gap: 130, why: "begun before it" },
  { times: [95, 120, 260], gap: 140, why: "ended after it" },
  { times: [10, 300], gap: 290, why: "around all of it" },
  { times: [95, 120], gap: 80, why: "without end, up to its end" },
  { times: [], gap: 100, why: "nothing ever" },
])("the longest gap is one $why", ({ times, gap }) => {
  expect(longestGap(times, stretch)).toBe(gap);
});

/** Replies every 5 ms, one for each letter, a capital one by both. */
const replies = (text: string): Seen["replies"] =>
  [...text].flatMap((letter, index): Seen["replies"] => {
    const at = index * 5;
    return letter === "B"
      ? [
          [at, "a"],
          [at + 1, "b"],
        ]
      : [[at, letter]];
  });

test.each([
  { text: "aaaabbbb", millis: 0, why: "nobody answers beside another at a clean change" },
  { text: "aaaaBbbb", millis: 0, why: "one request that both answer, the old one first" },
  { text: "aaaaBBBbbb", millis: 9, why: "from the first of the new one to the last of the old one" },
  { text: "aabbbbabbbb", millis: 20, why: "a late answer of the old one counts up to it" },
  { text: `aa${"b".repeat(60)}aaa`, millis: 0, why: "one that answers alone for long has taken over" },
  { text: `aBBBa${"a".repeat(60)}aBBBa`, millis: 20, why: "two times are added up" },
])("two answer for $millis ms: $why", ({ text, millis }) => {
  expect(twoAnsweredMillis(replies(text))).toBe(millis);
});

test("a probe that was never answered is a failed one, where it was sent", () => {
  const probes: Seen["probes"] = [
    [90, null],
    [110, null],
    [115, 116],
    [190, null],
    [205, null],
  ];
  const seen: Seen = {
    probes,
    replies: [[100, "a"]],
    late: [
      [50, 40],
      [150, 7],
    ],
  };
  expect(experienceOf(seen, stretch)).toMatchObject({ failedProbes: 2, late: 7 });
});
