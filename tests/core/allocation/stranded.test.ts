import { expect, it } from "vitest";
import { findStranded } from "../../../core/allocation/stranded.ts";
import { addressFrom, occupancyOf, poolFrom } from "../builders.ts";

const before = poolFrom("lan", ["10.0.0.0/24"]);

it("a pool that shrinks strands the addresses in use that no pool has any more", () => {
  const occupancy = occupancyOf("10.0.0.1", "10.0.0.200", "10.0.0.130", "10.9.0.1");
  expect(findStranded(before, [poolFrom("lan", ["10.0.0.0/25"])], occupancy)).toEqual({
    kind: "strandedAddresses",
    pool: "network/lan",
    address: addressFrom("10.0.0.130"),
    holder: { namespace: "default", name: "my-service" },
    count: 2,
  });
});

it("an address that another pool takes over is not stranded", () => {
  const after = [poolFrom("low", ["10.0.0.0/25"]), poolFrom("high", ["10.0.0.128/25"])];
  expect(findStranded(before, after, occupancyOf("10.0.0.1", "10.0.0.200"))).toBeUndefined();
});

it("what is no Service's is not stranded", () => {
  const occupancy = occupancyOf();
  occupancy.take(addressFrom("10.0.0.1"), { kind: "other", what: 'Node "node-1"' });
  expect(findStranded(before, [], occupancy)).toBeUndefined();
});
