import fc from "fast-check";
import { expect, it, test } from "vitest";
import { parsePool } from "../../../core/pool/pool.ts";
import { checkSteering, parseDurationMillis, readSteering } from "../../../core/pool/steering.ts";
import { poolInput, valueOf } from "../builders.ts";

test.each([
  ["0", 0],
  ["0s", 0],
  ["30s", 30_000],
  ["10m", 600_000],
  ["1h30m", 5_400_000],
  ["1.5s", 1_500],
  [".5s", 500],
  ["+2s", 2_000],
  ["250ms", 250],
  ["1us", 1],
  ["1µs", 1],
  ["1000000ns", 1],
  ["0.1s", 100],
])("the duration %s is %d ms", (text, millis) => {
  expect(parseDurationMillis(text)).toBe(millis);
});

test.each(["", "30", "s", "-5s", "5 s", "5S", "1d", "1.2.3s", "soon", "1h-30m", "١s", "Infinityh", "1e3s", ".s"])(
  "%j is no duration",
  (text) => {
    expect(parseDurationMillis(text)).toBeUndefined();
  },
);

it("a pool without annotations rests no address, shares in one namespace and keeps what Services hold", () => {
  const none = { coolDownMillis: 0, sharesAcrossNamespaces: false, allowsRenumbering: false };
  expect(valueOf(parsePool(poolInput("lan", ["10.0.0.0/24"])))).toMatchObject(none);
});

it("a pool is steered by its annotations", () => {
  const annotations = {
    "berth.dev/cool-down": "1m",
    "berth.dev/cross-namespace-sharing": "true",
    "berth.dev/allow-renumbering": "true",
    "berth.dev/rebalance": "any text",
  };
  const input = { ...poolInput("lan", ["10.0.0.0/24"]), metadata: { name: "lan", namespace: "network", annotations } };
  const steered = { coolDownMillis: 60_000, sharesAcrossNamespaces: true, allowsRenumbering: true };
  expect(valueOf(parsePool(input))).toMatchObject(steered);
  expect(checkSteering("network/lan", annotations)).toBeUndefined();
});

test.each([
  ["berth.dev/cool-down", "soon", "duration"],
  ["berth.dev/cool-down", "", "duration"],
  ["berth.dev/cool-down", "-1s", "duration"],
  ["berth.dev/cool-down", "168h1ms", "duration"],
  ["berth.dev/cool-down", `${"9".repeat(400)}h`, "duration"],
  ["berth.dev/cross-namespace-sharing", "yes", "flag"],
  ["berth.dev/allow-renumbering", "True", "flag"],
  ["berth.dev/allow-renumbering", "", "flag"],
])("the annotation %s with the value %j is refused and counts as not there", (annotation, value, wants) => {
  const annotations = { [annotation]: value };
  const refusal = { kind: "badSteering", pool: "network/lan", annotation, value, wants };
  expect(checkSteering("network/lan", annotations)).toEqual(refusal);
  expect(readSteering(annotations)).toEqual(readSteering({}));
});

test.each([
  ["berth.dev/cool-down", "168h"],
  ["berth.dev/cross-namespace-sharing", "false"],
  ["berth.dev/allow-renumbering", "false"],
])("the annotation %s may be %j", (annotation, value) => {
  expect(checkSteering("network/lan", { [annotation]: value })).toBeUndefined();
});

it("any text is a cool-down of 0 ms to a week", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,9}(?:ns|us|ms|s|m|h)$/)), (text) => {
      const { coolDownMillis } = readSteering({ "berth.dev/cool-down": text });
      expect(Number.isInteger(coolDownMillis)).toBe(true);
      expect(coolDownMillis).toBeGreaterThanOrEqual(0);
      expect(coolDownMillis).toBeLessThanOrEqual(604_800_000);
    }),
  );
});
