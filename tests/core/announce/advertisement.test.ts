import { expect, it, test } from "vitest";
import type { L2AdvertisementInput } from "../../../core/announce/advertisement.ts";
import { parseAdvertisement } from "../../../core/announce/advertisement.ts";
import { errorOf, valueOf } from "../builders.ts";

type Spec = NonNullable<L2AdvertisementInput["spec"]>;

const input = (spec?: Spec): L2AdvertisementInput => ({ metadata: { name: "homelab-l2", namespace: "network" }, spec });

it("an advertisement without a spec sets no condition", () => {
  expect(valueOf(parseAdvertisement(input()))).toEqual({
    key: "network/homelab-l2",
    poolNames: [],
    poolSelectors: [],
    nodeSelectors: [],
    interfaces: [],
    serviceSelectors: [],
    preferences: [],
  });
});

const a = { matchLabels: { a: "1" } };

test.each<{ spec: Spec; kind: string; field?: string }>([
  { spec: { ipAddressPools: ["lan", "lan"] }, kind: "duplicateName", field: "ipAddressPools" },
  { spec: { ipAddressPoolSelectors: [a, a] }, kind: "duplicateSelector", field: "ipAddressPoolSelectors" },
  { spec: { nodeSelectors: [a, a] }, kind: "duplicateSelector", field: "nodeSelectors" },
  { spec: { serviceSelectors: [a, a] }, kind: "duplicateSelector", field: "serviceSelectors" },
  {
    spec: { nodeSelectors: [{ matchExpressions: [{ key: "a", operator: "Like" }] }] },
    kind: "badSelector",
    field: "nodeSelectors",
  },
  { spec: { preferredNodeSelectors: [{ weight: 0, preference: a }] }, kind: "badWeight" },
  { spec: { preferredNodeSelectors: [{ weight: 101, preference: a }] }, kind: "badWeight" },
  { spec: { preferredNodeSelectors: [{ weight: 1.5, preference: a }] }, kind: "badWeight" },
  { spec: { preferredNodeSelectors: [{ preference: a }] }, kind: "badWeight" },
  {
    spec: { preferredNodeSelectors: [{ weight: 1, preference: { matchLabels: { "": "" } } }] },
    kind: "badSelector",
    field: "preferredNodeSelectors",
  },
])("parseAdvertisement refuses $spec as $kind", ({ spec, kind, field }) => {
  const error = errorOf(parseAdvertisement(input(spec)));
  expect(error).toMatchObject(field === undefined ? { kind } : { kind, field });
});

it("the same interface twice counts once, as in MetalLB", () => {
  expect(valueOf(parseAdvertisement(input({ interfaces: ["eth1", "eth0", "eth1"] }))).interfaces).toEqual([
    "eth1",
    "eth0",
  ]);
});

it("the same preference twice counts twice", () => {
  const spec = {
    preferredNodeSelectors: [
      { weight: 1, preference: a },
      { weight: 1, preference: a },
    ],
  };
  expect(valueOf(parseAdvertisement(input(spec))).preferences).toHaveLength(2);
});
