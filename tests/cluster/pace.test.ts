import { expect, it } from "vitest";
import { Pace } from "../../cluster/pace.ts";

it("the first change waits for 20 ms, later ones longer the more there is to write, up to 250 ms", () => {
  const pace = new Pace();
  expect(pace.pauseMillis(0)).toBe(20);
  const pauses = [0, 100, 200, 400, 600].map((now) => {
    pace.wrote(now);
    return pace.pauseMillis(now);
  });
  expect(pauses).toEqual([40, 80, 160, 250, 250]);
});

it("after a second without a write it is quiet again", () => {
  const pace = new Pace();
  for (const now of [0, 10, 20, 30, 40]) pace.wrote(now);
  expect(pace.pauseMillis(1_040)).toBe(250);
  expect(pace.pauseMillis(1_041)).toBe(20);
  pace.wrote(1_041);
  expect(pace.pauseMillis(1_041)).toBe(40);
});
