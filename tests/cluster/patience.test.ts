import { afterEach, beforeEach, expect, it } from "vitest";
import { within } from "../../cluster/patience.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";

beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  resumeTime();
});

it("an answer that comes in time is given", async () => {
  expect(await within(1_000, Promise.resolve("yes"))).toBe("yes");
});

it("one that does not come is not waited for", async () => {
  const never = new Promise<string>(() => undefined);
  const asked = within(1_000, never);
  await pass(1_000);
  expect(await asked).toBeUndefined();
});

it("one that is an error counts as none", async () => {
  const failing: Promise<string> = Promise.reject(new Error("socket hang up"));
  expect(await within(1_000, failing)).toBeUndefined();
});
