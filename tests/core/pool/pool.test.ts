import fc from "fast-check";
import { expect, it, test } from "vitest";
import { createdMillisOf, parsePool } from "../../../core/pool/pool.ts";
import { nearlyAddress } from "../../support/generators.ts";
import { errorOf, poolFrom, poolInput } from "../builders.ts";

it("reads the pool of the seed page with MetalLB's defaults", () => {
  expect(poolFrom("homelab-pool", ["192.168.1.200-192.168.1.220"])).toMatchObject({
    key: "network/homelab-pool",
    autoAssign: true,
    avoidBuggyIps: false,
    allocation: undefined,
  });
});

test.each([
  { addresses: [], why: "noAddresses" },
  { addresses: ["192.168.1.5"], why: "badRange" },
  { addresses: ["192.168.1.0/24", "192.168.1.9-192.168.2.9"], why: "selfOverlap" },
  { addresses: ["0.0.0.0/0"], why: "specialRange" },
  { addresses: ["127.0.0.0/30"], why: "specialRange" },
  { addresses: ["169.254.7.0/24"], why: "specialRange" },
  { addresses: ["224.0.0.0/4"], why: "specialRange" },
  { addresses: ["255.255.255.255/32"], why: "specialRange" },
  { addresses: ["::/126"], why: "specialRange" },
  { addresses: ["::1-::5"], why: "specialRange" },
  { addresses: ["::fffe:0:0/94"], why: "specialRange" },
  { addresses: ["fe80::/64"], why: "specialRange" },
  { addresses: ["ff02::/16"], why: "specialRange" },
])("parsePool refuses the addresses $addresses as $why", ({ addresses, why }) => {
  expect(errorOf(parsePool(poolInput("lan", addresses)))).toMatchObject({ kind: why });
});

test.each(["10.0.0.0/8", "100.64.0.0/10", "1000::/64", "fc00::/7", "::fffe:0:0-::fffe:ffff:ffff", "::1:0:0:0/80"])(
  "parsePool takes %s",
  (entry) => {
    expect(parsePool(poolInput("lan", [entry])).ok).toBe(true);
  },
);

it("parsePool refuses a pool whose every address is kept back", () => {
  const input = poolInput("lan", ["10.0.0.255-10.0.1.0"], { avoidBuggyIPs: true });
  expect(errorOf(parsePool(input))).toEqual({ kind: "noUsableAddress", pool: "network/lan" });
});

test.each([
  [{ namespaces: ["a", "b", "a"] }, "duplicateName", "serviceAllocation.namespaces"],
  [{ namespaceSelectors: [{}, {}] }, "duplicateSelector", "serviceAllocation.namespaceSelectors"],
  [{ serviceSelectors: [{ matchLabels: { "": "x" } }] }, "badSelector", "serviceAllocation.serviceSelectors"],
])("parsePool refuses the allocation %j as %s", (serviceAllocation, kind, field) => {
  expect(errorOf(parsePool(poolInput("lan", ["10.0.0.0/24"], { serviceAllocation })))).toMatchObject({ kind, field });
});

test.each([
  [new Date(1000), 1000],
  ["1970-01-01T00:00:01Z", 1000],
  ["yesterday", Infinity],
  [undefined, Infinity],
])("a pool created %s counts from %d", (creationTimestamp, millis) => {
  expect(createdMillisOf({ metadata: { creationTimestamp } })).toBe(millis);
});

it("parsePool returns on any texts", () => {
  fc.assert(
    fc.property(fc.array(nearlyAddress), (addresses) => {
      expect(parsePool(poolInput("lan", addresses))).toHaveProperty("ok");
    }),
  );
});
