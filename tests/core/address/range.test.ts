import fc from "fast-check";
import { expect, it, test } from "vitest";
import { printAddress } from "../../../core/address/address.ts";
import { countRange, parseRange, printRange, rangeContains, rangesOverlap } from "../../../core/address/range.ts";
import { anyAddress, anyRange, nearlyAddress } from "../../support/generators.ts";
import { rangeFrom } from "../builders.ts";

test.each([
  ["192.168.1.200-192.168.1.220", "192.168.1.200", "192.168.1.220"],
  ["10.0.0.1 - 10.0.0.9", "10.0.0.1", "10.0.0.9"],
  [" 10.0.0.1-10.0.0.1 ", "10.0.0.1", "10.0.0.1"],
  ["198.51.100.10/24", "198.51.100.0", "198.51.100.255"],
  ["10.0.0.7/32", "10.0.0.7", "10.0.0.7"],
  ["0.0.0.0/0", "0.0.0.0", "255.255.255.255"],
  ["fd00::5/126", "fd00::4", "fd00::7"],
  ["::ffff:1.2.3.0/120", "1.2.3.0", "1.2.3.255"],
  ["fd00::-fd00::ff", "fd00::", "fd00::ff"],
])("parseRange reads %s as %s to %s", (text, first, last) => {
  const range = rangeFrom(text);
  expect([printAddress(range.first), printAddress(range.last)]).toEqual([first, last]);
});

test.each([
  { text: "", why: "notARange" },
  { text: "lan", why: "notARange" },
  { text: "1.2.3.4", why: "bareAddress" },
  { text: "1.2.3.4-9", why: "badEnd" },
  { text: "1.2.3.4-", why: "badEnd" },
  { text: "010.0.0.1-010.0.0.9", why: "badEnd" },
  { text: "fe80::1%eth0/64", why: "badEnd" },
  { text: "100.200.300.400/24", why: "badEnd" },
  { text: " 10.0.0.0/8", why: "blanksAroundCidr" },
  { text: "10.0.0.0/8 ", why: "blanksAroundCidr" },
  { text: "10.0.0.0/33", why: "badPrefix" },
  { text: "10.0.0.0/", why: "badPrefix" },
  { text: "10.0.0.0/08", why: "badPrefix" },
  { text: "10.0.0.0/-1", why: "badPrefix" },
  { text: "10.0.0.0/24/3", why: "badPrefix" },
  { text: "fd00::/129", why: "badPrefix" },
  { text: "::ffff:1.2.3.0/95", why: "badPrefix" },
  { text: "1.2.3.4-1000::5", why: "mixedFamilies" },
  { text: "10.0.0.9-10.0.0.1", why: "backwardsRange" },
])("parseRange refuses $text as $why", ({ text, why }) => {
  expect(parseRange(text)).toMatchObject({ ok: false, error: { kind: why, text } });
});

test.each([
  ["10.0.0.0-10.0.0.255", "10.0.0.0/24"],
  ["10.0.0.1-10.0.0.2", "10.0.0.1-10.0.0.2"],
  ["fd00::/64", "fd00::/64"],
])("printRange prints %s as %s", (text, printed) => {
  expect(printRange(rangeFrom(text))).toBe(printed);
});

it("parseRange undoes printRange", () => {
  fc.assert(
    fc.property(anyRange, (range) => {
      expect(parseRange(printRange(range))).toEqual({ ok: true, value: range });
    }),
  );
});

it("parseRange returns on any text, and never gives an empty range", () => {
  fc.assert(
    fc.property(nearlyAddress, (text) => {
      const parsed = parseRange(text);
      if (parsed.ok) expect(countRange(parsed.value)).toBeGreaterThan(0n);
    }),
  );
});

it("two ranges overlap exactly when one contains an end of the other", () => {
  fc.assert(
    fc.property(anyRange, anyRange, (a, b) => {
      const meets = [rangeContains(a, b.first), rangeContains(a, b.last), rangeContains(b, a.first)].some(Boolean);
      expect(rangesOverlap(a, b)).toBe(meets);
      expect(rangesOverlap(b, a)).toBe(meets);
    }),
  );
});

it("a range contains its ends and nothing of the other family", () => {
  fc.assert(
    fc.property(anyRange, anyAddress, (range, address) => {
      expect(rangeContains(range, range.first) && rangeContains(range, range.last)).toBe(true);
      if (address.family !== range.first.family) expect(rangeContains(range, address)).toBe(false);
    }),
  );
});
