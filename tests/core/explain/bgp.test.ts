import { expect, test } from "vitest";
import { explain } from "../../../core/explain.ts";

test.each([
  { type: "BGPPeer", nothing: "opens no session with it" },
  { type: "BGPAdvertisement", nothing: "announces nothing by it" },
  { type: "BFDProfile", nothing: "watches no session by it" },
  { type: "Community", nothing: "puts it on no route" },
] as const)("of a $type it is said that Berth $nothing, why, and what to do", ({ type, nothing }) => {
  const sentence = explain({ kind: "bgpUnspoken", type, object: "metallb-system/tor" });
  expect(sentence).toBe(
    `${type} "metallb-system/tor" is accepted, but Berth does not speak BGP yet and ${nothing}; announce the addresses with an L2Advertisement, or stay with MetalLB where only BGP reaches them`,
  );
  expect(sentence.length).toBeLessThanOrEqual(256); // a longer Warning may be cut off
});
