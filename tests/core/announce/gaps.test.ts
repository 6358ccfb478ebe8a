import { expect, test } from "vitest";
import { parseAdvertisement, type L2AdvertisementInput } from "../../../core/announce/advertisement.ts";
import { findGaps } from "../../../core/announce/gaps.ts";
import { valueOf } from "../builders.ts";

const zone = (value: string) => ({ matchLabels: { zone: value } });
const there = {
  pools: [
    { name: "lan", labels: { zone: "a" } },
    { name: "dmz", labels: {} },
  ],
  nodes: [{ name: "node-1", labels: { zone: "a" } }],
};
const nothing = { pools: [], nodes: [] };
const noPool = { kind: "choosesNoPool" };
const noNode = { kind: "choosesNoNode" };

test.each<{ spec: NonNullable<L2AdvertisementInput["spec"]>; among: typeof there; gaps: readonly object[] }>([
  { spec: {}, among: there, gaps: [] },
  { spec: {}, among: nothing, gaps: [noPool, noNode] },
  { spec: { ipAddressPools: ["lan", "dmz"] }, among: there, gaps: [] },
  {
    spec: { ipAddressPools: ["lan", "later"] },
    among: there,
    gaps: [{ kind: "missingPools", some: ["later"], count: 1 }],
  },
  {
    spec: { ipAddressPools: ["d", "c", "b", "a"], nodeSelectors: [zone("b")] },
    among: there,
    gaps: [{ kind: "missingPools", some: ["d", "c", "b"], count: 4 }, noNode],
  },
  { spec: { ipAddressPoolSelectors: [zone("b"), zone("a")] }, among: there, gaps: [] },
  { spec: { ipAddressPoolSelectors: [zone("b")] }, among: there, gaps: [noPool] },
  { spec: { ipAddressPools: ["lan"], ipAddressPoolSelectors: [zone("b")] }, among: there, gaps: [] },
  { spec: { nodeSelectors: [zone("a")] }, among: there, gaps: [] },
  { spec: { nodeSelectors: [zone("b")] }, among: there, gaps: [noNode] },
])("an advertisement of $spec misses $gaps", ({ spec, among, gaps }) => {
  const advertisement = valueOf(parseAdvertisement({ metadata: { name: "l2", namespace: "network" }, spec }));
  expect(findGaps(advertisement, among)).toEqual(gaps.map((gap) => ({ ...gap, advertisement: "network/l2" })));
});
