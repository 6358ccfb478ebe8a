/** Sentences about the kinds of BGP. */

/** An object of BGP, of which nothing comes yet; `object` is its namespace and name. */
export type BgpUnspoken = { readonly kind: "bgpUnspoken"; readonly type: BgpType; readonly object: string };

/** The kinds of BGP that people write. */
export const bgpTypes = ["BGPPeer", "BGPAdvertisement", "BFDProfile", "Community"] as const;

/** One of them. */
export type BgpType = (typeof bgpTypes)[number];

const NOTHING: Readonly<Record<BgpType, string>> = {
  BGPPeer: "opens no session with it",
  BGPAdvertisement: "announces nothing by it",
  BFDProfile: "watches no session by it",
  Community: "puts it on no route",
};

/** One sentence about an object of BGP. */
export const explainBgp = ({ type, object }: BgpUnspoken): string =>
  `${type} "${object}" is accepted, but Berth does not speak BGP yet and ${NOTHING[type]}; announce the addresses with an L2Advertisement, or stay with MetalLB where only BGP reaches them`;
