/** What each reason of a condition or Event means: tsc refuses a table that lacks one of core/explain/reasons. */
import type { AnnouncedReason, EventReason, ReadyReason } from "../../../core/explain/reasons.ts";

/** Reasons of berth.dev/Announced. */
export const announced: Readonly<Record<AnnouncedReason, string>> = {
  Announced: "True: a node answers for each of its addresses; the message names node and interface",
  WaitingForAnnouncer: "nodes may announce it and none does yet; the message says why each of them is silent",
  NoEndpoints: "no pod that its selector matches is ready",
  NoMatchingAdvertisement: "no L2Advertisement takes in its pool and this Service",
  SharerNotAdvertised: "another Service shares the address, and no L2Advertisement takes that one in",
  NoEligibleNode: "no node may announce it; the message says why for each",
};

/** Reasons of berth.dev/Ready. */
export const ready: Readonly<Record<ReadyReason, string>> = {
  Usable: "True: it works as it stands",
  Malformed: "something is wrong with the object by itself; it is inert",
  MalformedAnnotation: "one of its annotations can't be read and counts as not there",
  Overlaps: "an older pool has some of its addresses; it is inert",
  ContainsNodeAddresses: "it holds addresses of nodes, which are never given out",
  OverlapsServiceCIDR: "it holds addresses that ClusterIPs are taken from",
  MissingNamespaces: "it names a namespace that is not there",
  ServesNobody: "no namespace is chosen by it",
  MissingPools: "it names a pool that is not there",
  NoPool: "it chooses no pool",
  NoNode: "it chooses no node",
};

type Event = { readonly on: string; readonly type: "Normal" | "Warning"; readonly says: string };

/** Reasons of Events that are no condition's. */
export const events: Readonly<Record<Exclude<EventReason, ReadyReason>, Event>> = {
  IPAllocated: { on: "Service", type: "Normal", says: "it has got an address; the note names the pool (MetalLB's)" },
  AllocationFailed: { on: "Service", type: "Warning", says: "it gets no address, and why (MetalLB's)" },
  LoadBalancerFailed: {
    on: "Service",
    type: "Warning",
    says: "what it asks for can't be read; it keeps what it has (MetalLB's)",
  },
  ClearAssignment: { on: "Service", type: "Normal", says: "its address was taken back, and why (MetalLB's)" },
  deprecatedAnnotation: {
    on: "Service",
    type: "Warning",
    says: "one of its annotations has the prefix that MetalLB gave up (MetalLB's)",
  },
  nodeAssigned: { on: "Service", type: "Normal", says: "another node announces it now (MetalLB's)" },
  PoolInert: { on: "IPAddressPool", type: "Warning", says: "it gives no addresses, and why" },
  PoolUsable: { on: "IPAddressPool", type: "Normal", says: "it gives addresses again" },
  AdvertisementInert: { on: "L2Advertisement", type: "Warning", says: "it announces nothing, and why" },
};
