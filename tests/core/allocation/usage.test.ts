import { expect, it, test } from "vitest";
import { Occupancy } from "../../../core/allocation/occupancy.ts";
import { measurePool } from "../../../core/allocation/usage.ts";
import { MAX_COUNT } from "../../../core/pool/count.ts";
import { addressFrom, occupancyOf, poolFrom } from "../builders.ts";

// the first five as MetalLB's own counters say, the rest where those overflow
test.each([
  { addresses: ["1.2.3.0/24"], avoid: false, v4: 256n, v6: 0n },
  { addresses: ["1.2.3.0/24", "2.3.4.128/25"], avoid: false, v4: 384n, v6: 0n },
  { addresses: ["1.2.3.0/24", "2.3.4.128/25"], avoid: true, v4: 381n, v6: 0n },
  { addresses: ["1.2.3.0/24", "2.3.4.128/25", "1000::/64"], avoid: true, v4: 381n, v6: MAX_COUNT },
  { addresses: ["1.2.3.0/31", "1000::/127"], avoid: true, v4: 1n, v6: 2n },
  { addresses: ["1000::/64", "2000::/120"], avoid: false, v4: 0n, v6: MAX_COUNT },
  { addresses: ["2000::/120", "1000::/64"], avoid: false, v4: 0n, v6: MAX_COUNT },
])(
  "an empty pool of $addresses, avoiding buggy ones $avoid, has $v4 and $v6 available",
  ({ addresses, avoid, v4, v6 }) => {
    expect(measurePool(poolFrom("lan", addresses, { avoidBuggyIPs: avoid }), new Occupancy())).toEqual({
      assigned: { IPv4: 0n, IPv6: 0n },
      available: { IPv4: v4, IPv6: v6 },
    });
  },
);

it("what Services hold is assigned, and what anybody holds is not available", () => {
  const occupancy = occupancyOf("10.0.0.1", "10.0.1.1", "fd00::1");
  occupancy.take(addressFrom("10.0.0.2"), { kind: "other", what: 'Node "node-1"' });
  occupancy.take(addressFrom("10.0.0.3"), { kind: "other", what: 'IPAddress "10.0.0.3", made by hand' });
  expect(measurePool(poolFrom("lan", ["10.0.0.0/29", "10.0.1.0/30", "fd00::/126"]), occupancy)).toEqual({
    assigned: { IPv4: 2n, IPv6: 1n },
    available: { IPv4: 8n - 3n + 4n - 1n, IPv6: 3n },
  });
});

it("an address that avoidBuggyIPs keeps back is not counted twice when somebody holds it", () => {
  const occupancy = new Occupancy();
  occupancy.take(addressFrom("10.0.0.0"), { kind: "other", what: 'Node "node-1"' });
  const pool = poolFrom("lan", ["10.0.0.0/24"], { avoidBuggyIPs: true });
  expect(measurePool(pool, occupancy).available.IPv4).toBe(254n);
});

it("one address of 2^127 that is held does not show", () => {
  expect(measurePool(poolFrom("lan", ["4000::/2"]), occupancyOf("4000::1"))).toEqual({
    assigned: { IPv4: 0n, IPv6: 1n },
    available: { IPv4: 0n, IPv6: MAX_COUNT },
  });
});
