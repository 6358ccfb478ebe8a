/** What is said about the kinds of BGP, with an example of each kind, its cause and its cure. */
import type { Catalogue } from "./entry.ts";

export const aboutBgp: Pick<Catalogue, "bgpUnspoken"> = {
  bgpUnspoken: {
    answer: "warning",
    cause: "Berth keeps the objects of BGP as they are written, and does not speak BGP yet.",
    cure: "Announce the addresses with an L2Advertisement, where clients are on the segment of the nodes; otherwise stay with MetalLB.",
    examples: [
      { kind: "bgpUnspoken", type: "BGPPeer", object: "metallb-system/tor" },
      { kind: "bgpUnspoken", type: "BGPAdvertisement", object: "metallb-system/routed" },
      { kind: "bgpUnspoken", type: "BFDProfile", object: "metallb-system/fast" },
      { kind: "bgpUnspoken", type: "Community", object: "metallb-system/names" },
    ],
  },
};
