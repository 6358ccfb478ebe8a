import fc from "fast-check";
import { expect, it, test } from "vitest";
import { parseJson, printJson, slim } from "../../cluster/wire.ts";
import { MAX_COUNT, toStatusCount } from "../../core/pool/count.ts";

test.each([
  [MAX_COUNT, "9223372036854775807"],
  [2n ** 80n, "9223372036854775807"],
  [21n, "21"],
])("a count of %d goes over the wire as %s", (count, text) => {
  expect(printJson({ availableIPv6: toStatusCount(count) })).toBe(`{"availableIPv6":${text}}`);
});

it("a count that was read is written as it was", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 70n }), (count) => {
      const text = printJson([toStatusCount(count)]);
      expect(BigInt(text.slice(1, -1)) <= MAX_COUNT).toBe(true);
      expect(printJson(parseJson<number[]>(text))).toBe(text);
    }),
  );
});

it("a text that looks like the largest count stays as it is", () => {
  const value = { a: "9223372036854776000", b: [2 ** 62, null, true] };
  expect(printJson(value)).toBe(JSON.stringify(value));
});

it("who set which field is left out of what is kept, and stays where it is read", () => {
  const object = (kind: string) => ({ kind, metadata: { name: "web", managedFields: [{ manager: "pepr" }] } });
  expect(JSON.parse(JSON.stringify(slim(object("Service"))))).toEqual({ kind: "Service", metadata: { name: "web" } });
  expect(slim(object("Deployment"))).toEqual(object("Deployment"));
});
