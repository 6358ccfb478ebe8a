import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { compareAddresses, isBuggyAddress, parseAddress, printAddress } from "../../../core/address/address.ts";
import { anyAddress, nearlyAddress } from "../../support/generators.ts";
import { addressFrom } from "../builders.ts";

test.each([
  ["192.168.1.5", "192.168.1.5"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["1:0:0:2:3:0:0:4", "1::2:3:0:0:4"],
  ["::", "::"],
  ["::1", "::1"],
  ["::ffff:1.2.3.4", "1.2.3.4"],
  ["::FFFF:102:304", "1.2.3.4"],
  ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ["::1.2.3.4", "::102:304"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
])("parseAddress reads %s as %s", (text, canonical) => {
  expect(printAddress(addressFrom(text))).toBe(canonical);
});

test.each([
  { text: "", why: "emptyAddress" },
  { text: " ", why: "emptyAddress" },
  { text: " 10.0.0.1", why: "notAnAddress" },
  { text: "10.0.0.1 ", why: "notAnAddress" },
  { text: "1", why: "notAnAddress" }, // ipaddr.js alone reads 0.0.0.1
  { text: "10.1", why: "notAnAddress" },
  { text: "0x0a.0.0.1", why: "notAnAddress" },
  { text: "10.0.0.256", why: "notAnAddress" },
  { text: "10.0.0.1.2", why: "notAnAddress" },
  { text: "010.0.0.1", why: "leadingZero" }, // ipaddr.js alone reads octal, 8.0.0.1
  { text: "10.0.0.00", why: "leadingZero" },
  { text: "::ffff:10.0.0.01", why: "leadingZero" },
  { text: "fe80::1%eth0", why: "zone" },
  { text: "10.0.0.1%eth0", why: "zone" },
  { text: "1::2::3", why: "notAnAddress" },
  { text: "00001::", why: "notAnAddress" },
  { text: ":", why: "notAnAddress" },
  { text: ":::", why: "notAnAddress" },
  { text: "1:2:3:4:5:6:7", why: "notAnAddress" },
  { text: "1:2:3:4:5:6:7:8::", why: "notAnAddress" },
  { text: "1:2:3:4:5:6:7:8:9", why: "notAnAddress" },
  { text: "1.2.3.4::", why: "notAnAddress" },
  { text: "::1.2.3", why: "notAnAddress" },
  { text: "[::1]", why: "notAnAddress" },
])("parseAddress refuses $text as $why", ({ text, why }) => {
  expect(parseAddress(text)).toMatchObject({ ok: false, error: { kind: why, text } });
});

describe("any address", () => {
  it("is printed so that parsing gives it back", () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        expect(parseAddress(printAddress(address))).toEqual({ ok: true, value: address });
      }),
    );
  });

  it("is printed as URLs print it", () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const text = printAddress(address);
        const host = address.family === "IPv4" ? text : `[${text}]`;
        expect(new URL(`http://${host}/`).hostname).toBe(host);
      }),
    );
  });

  it("equals, in the order, only itself", () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, (a, b) => {
        expect(Math.sign(compareAddresses(a, b))).toBe(-Math.sign(compareAddresses(b, a)) + 0);
        expect(compareAddresses(a, b) === 0).toBe(printAddress(a) === printAddress(b));
      }),
    );
  });
});

it("parseAddress returns on any text, and what it takes it prints as canonical text", () => {
  fc.assert(
    fc.property(nearlyAddress, (text) => {
      const parsed = parseAddress(text);
      if (parsed.ok) expect(parseAddress(printAddress(parsed.value))).toEqual(parsed);
    }),
  );
});

test.each([
  ["10.0.0.0", true],
  ["10.0.0.255", true],
  ["10.0.0.1", false],
  ["10.0.0.254", false],
  ["fd00::", false],
  ["fd00::ff", false],
])("isBuggyAddress of %s is %s", (text, buggy) => {
  expect(isBuggyAddress(addressFrom(text))).toBe(buggy);
});
