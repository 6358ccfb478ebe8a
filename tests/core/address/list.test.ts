import fc from "fast-check";
import { expect, it, test } from "vitest";
import { parseAddressList, printAddressList } from "../../../core/address/list.ts";
import { anyAddress, nearlyAddress } from "../../support/generators.ts";
import { addressFrom } from "../builders.ts";

test.each([
  ["", []],
  ["10.0.0.1", ["10.0.0.1"]],
  [" 10.0.0.1 ,\tfd00::1", ["10.0.0.1", "fd00::1"]],
])("parseAddressList reads %j", (text, addresses) => {
  expect(parseAddressList(text)).toEqual({ ok: true, value: addresses.map(addressFrom) });
});

test.each([
  { text: "10.0.0.1,,10.0.0.2", why: "hole" },
  { text: "10.0.0.1,", why: "hole" },
  { text: " ", why: "hole" },
  { text: "10.0.0.1;10.0.0.2", why: "badItem" },
  { text: "10.0.0.1,lan", why: "badItem" },
  { text: "fd00::1,FD00:0::1", why: "duplicate" },
])("parseAddressList refuses $text as $why", ({ text, why }) => {
  expect(parseAddressList(text)).toMatchObject({ ok: false, error: { kind: why, text } });
});

it("parseAddressList undoes printAddressList", () => {
  const lists = fc.uniqueArray(anyAddress, { selector: (address) => `${address.family}${String(address.value)}` });
  fc.assert(
    fc.property(lists, (addresses) => {
      expect(parseAddressList(printAddressList(addresses))).toEqual({ ok: true, value: addresses });
    }),
  );
});

it("parseAddressList returns on any text", () => {
  fc.assert(
    fc.property(nearlyAddress, (text) => {
      expect(parseAddressList(text)).toHaveProperty("ok");
    }),
  );
});
