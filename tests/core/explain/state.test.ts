import { expect, it, test } from "vitest";
import {
  describeAdvertisement,
  describePool,
  type AdvertisementFinding,
  type PoolFinding,
} from "../../../core/explain/state.ts";
import { addressFrom, rangeFrom } from "../builders.ts";

const pool = "network/lan";
const nodes: PoolFinding = {
  kind: "nodeAddresses",
  pool,
  some: [{ node: "node-1", address: addressFrom("10.0.0.1") }],
  count: 1,
};
const nobody: PoolFinding = { kind: "servesNobody", pool };

test.each<{ finding: PoolFinding; isUsable: boolean; reason: string }>([
  { finding: { kind: "noAddresses", pool }, isUsable: false, reason: "Malformed" },
  {
    finding: {
      kind: "poolOverlap",
      pool,
      range: rangeFrom("10.0.0.0/24"),
      other: "network/a",
      otherRange: rangeFrom("10.0.0.0/25"),
    },
    isUsable: false,
    reason: "Overlaps",
  },
  { finding: nodes, isUsable: true, reason: "ContainsNodeAddresses" },
  {
    finding: {
      kind: "serviceRange",
      pool,
      range: rangeFrom("10.0.0.0/24"),
      serviceCidr: "kubernetes",
      serviceRange: rangeFrom("10.0.0.0/16"),
    },
    isUsable: true,
    reason: "OverlapsServiceCIDR",
  },
  { finding: { kind: "missingNamespaces", pool, some: ["a"], count: 1 }, isUsable: true, reason: "MissingNamespaces" },
  { finding: nobody, isUsable: true, reason: "ServesNobody" },
  {
    finding: { kind: "badSteering", pool, annotation: "berth.dev/cool-down", value: "x", wants: "duration" },
    isUsable: true,
    reason: "MalformedAnnotation",
  },
])("a pool with $finding.kind is ready $isUsable: $reason", ({ finding, isUsable, reason }) => {
  expect(describePool(pool, isUsable, [finding])).toMatchObject({ isReady: isUsable, reason });
});

it("a sound pool says so", () => {
  expect(describePool(pool, true, [])).toEqual({
    isReady: true,
    reason: "Usable",
    message: 'IPAddressPool "network/lan" gives addresses to Services',
  });
});

it("the gravest finding gives the reason, and each has a line", () => {
  const { reason, message } = describePool(pool, true, [nodes, nobody]);
  expect(reason).toBe("ContainsNodeAddresses");
  expect(message.split("\n")).toEqual([
    'IPAddressPool "network/lan" has 10.0.0.1 of Node "node-1"; leave addresses of Nodes out of spec.addresses',
    'IPAddressPool "network/lan" serves no Service, since its spec.serviceAllocation.namespaceSelectors match no namespace; label a namespace or correct them',
  ]);
});

test.each<{ finding: AdvertisementFinding; reason: string }>([
  { finding: { kind: "badWeight", advertisement: "network/l2", weight: 0 }, reason: "Malformed" },
  { finding: { kind: "missingPools", advertisement: "network/l2", some: ["a"], count: 1 }, reason: "MissingPools" },
  { finding: { kind: "choosesNoPool", advertisement: "network/l2" }, reason: "NoPool" },
  { finding: { kind: "choosesNoNode", advertisement: "network/l2" }, reason: "NoNode" },
])("an advertisement with $finding.kind is not ready: $reason", ({ finding, reason }) => {
  expect(describeAdvertisement("network/l2", [finding])).toMatchObject({ isReady: false, reason });
});

it("a sound advertisement says so", () => {
  expect(describeAdvertisement("network/l2", [])).toEqual({
    isReady: true,
    reason: "Usable",
    message: 'L2Advertisement "network/l2" announces addresses of its pools',
  });
});
