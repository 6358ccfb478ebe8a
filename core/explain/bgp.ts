/** Sentences about the kinds of BGP. */

/** An object of BGP, of which nothing comes yet; `object` is its namespace and name. */
export type BgpUnspoken = { readonly kind: "bgpUnspoken"; readonly type: BgpType; readonly object: string };

/** The kinds of BGP that people write. */
export const bgpTypes = ["BGPPeer", "BGPAdvertisement", "BFDProfile", "Community"] as const;

/** One of them. */
export type BgpType = (typeof bgpTypes)[number];

const NOTHING: Readonly<Record<BgpType, string>> = {
  BGPPeer: "no session with it is opened",
  BGPAdvertisement: "it announces nothing",
  BFDProfile: "no session is watched by it",
  Community: "no route carries it",
};

/** One sentence about an object of BGP. */
export const explainBgp = ({ type, object }: BgpUnspoken): string =>
  `${type} "${object}" is stored, but ${NOTHING[type]}, since Berth does not speak BGP yet; announce the addresses with an L2Advertisement, or stay with MetalLB where only BGP reaches them`;
