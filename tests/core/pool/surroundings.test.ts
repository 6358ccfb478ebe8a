import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { rangeContains } from "../../../core/address/range.ts";
import { parsePool } from "../../../core/pool/pool.ts";
import { findCollisions, sortNodeAddresses, type NodeAddress } from "../../../core/pool/surroundings.ts";
import { crowdedAddress, crowdedPools } from "../../support/generators.ts";
import { addressFrom, poolFrom, rangeFrom } from "../builders.ts";

const nodes = (...texts: readonly string[]): readonly NodeAddress[] =>
  sortNodeAddresses(texts.map((text, index) => ({ node: `node-${String(index + 1)}`, address: addressFrom(text) })));
const cluster = {
  nodeAddresses: nodes("192.168.1.12", "192.168.1.11", "fd00::11", "10.0.0.1"),
  serviceRanges: [
    { serviceCidr: "kubernetes", range: rangeFrom("10.96.0.0/16") },
    { serviceCidr: "more", range: rangeFrom("fd00:96::/112") },
  ],
};

describe("a pool beside the cluster's own addresses", () => {
  test.each([
    { addresses: ["192.168.1.200-192.168.1.220"], collides: [] },
    { addresses: ["192.168.1.0/24"], collides: ["nodeAddresses"] },
    { addresses: ["192.168.1.12/32"], collides: ["nodeAddresses"] },
    { addresses: ["192.168.1.13-192.168.1.20", "192.168.1.1-192.168.1.10"], collides: [] },
    { addresses: ["fd00::/64"], collides: ["nodeAddresses"] },
    { addresses: ["10.95.0.0/16", "10.97.0.0/16"], collides: [] },
    { addresses: ["10.95.255.255-10.96.0.0"], collides: ["serviceRange"] },
    { addresses: ["10.96.255.255/32"], collides: ["serviceRange"] },
    { addresses: ["fd00:96::ff00/120"], collides: ["serviceRange"] },
    { addresses: ["10.0.0.0/8"], collides: ["nodeAddresses", "serviceRange"] },
  ])("of $addresses collides in $collides", ({ addresses, collides }) => {
    expect(findCollisions(poolFrom("lan", addresses), cluster).map(({ kind }) => kind)).toEqual(collides);
  });

  it("names the lowest three addresses of nodes and counts all", () => {
    const nodeAddresses = nodes("10.0.0.5", "10.0.0.4", "10.0.0.3", "10.0.1.2", "10.0.0.1");
    const pool = poolFrom("lan", ["10.0.1.0/24", "10.0.0.2-10.0.0.9"]);
    expect(findCollisions(pool, { nodeAddresses, serviceRanges: [] })).toEqual([
      {
        kind: "nodeAddresses",
        pool: "network/lan",
        some: [
          { node: "node-3", address: addressFrom("10.0.0.3") },
          { node: "node-2", address: addressFrom("10.0.0.4") },
          { node: "node-1", address: addressFrom("10.0.0.5") },
        ],
        count: 4,
      },
    ]);
  });

  it("names the range, the ServiceCIDR and its range", () => {
    expect(findCollisions(poolFrom("lan", ["10.1.0.0/24", "10.96.7.0/24"]), cluster)).toEqual([
      {
        kind: "serviceRange",
        pool: "network/lan",
        range: rangeFrom("10.96.7.0/24"),
        serviceCidr: "kubernetes",
        serviceRange: rangeFrom("10.96.0.0/16"),
      },
    ]);
  });

  it("counts the addresses of nodes that lie in it, whatever the order they are heard of in", () => {
    const anyNodes = fc.array(fc.record({ node: fc.constantFrom("a", "b"), address: crowdedAddress }));
    fc.assert(
      fc.property(crowdedPools, anyNodes, (inputs, found) => {
        for (const input of inputs) {
          const pool = parsePool(input);
          if (!pool.ok) continue;
          const inside = found.filter(({ address }) =>
            pool.value.ranges.some((range) => rangeContains(range, address)),
          );
          const [collision] = findCollisions(pool.value, {
            nodeAddresses: sortNodeAddresses(found.toReversed()),
            serviceRanges: [],
          });
          expect(collision?.kind === "nodeAddresses" ? collision.count : 0).toBe(inside.length);
        }
      }),
    );
  });
});
