import { expect, test } from "vitest";
import { explain } from "../../../core/explain.ts";

test.each([
  { type: "BGPPeer", nothing: "no session with it is opened" },
  { type: "BGPAdvertisement", nothing: "it announces nothing" },
  { type: "BFDProfile", nothing: "no session is watched by it" },
  { type: "Community", nothing: "no route carries it" },
] as const)("of a $type it is said that $nothing, why, and what to do", ({ type, nothing }) => {
  const sentence = explain({ kind: "bgpUnspoken", type, object: "metallb-system/tor" });
  expect(sentence).toBe(
    `${type} "metallb-system/tor" is stored, but ${nothing}, since Berth does not speak BGP yet; announce the addresses with an L2Advertisement, or stay with MetalLB where only BGP reaches them`,
  );
  expect(sentence.length).toBeLessThanOrEqual(256); // a longer Warning may be cut off
});
