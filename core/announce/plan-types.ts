/** What the planner takes and gives. */
import type { Address } from "../address/address.ts";
import type { Labels } from "../labels.ts";
import type { EndpointSummary } from "./endpoints.ts";

/** The name of a Service. */
export type ServiceKey = { readonly namespace: string; readonly name: string };

/** A Service that holds addresses, with what decides where they are announced. Several may list the same address. */
export type AnnouncedService = ServiceKey & {
  readonly labels: Labels;
  /** In the Service's own order; the first one decides where all are announced. */
  readonly addresses: readonly Address[];
  /** The pool the addresses are from, namespace/name. */
  readonly pool: string;
  readonly externalTrafficPolicy?: string | undefined;
  readonly endpoints: EndpointSummary;
};

/** What an advertisement chooses a pool by, and the value that asks for its addresses to be moved back; a Pool fits. */
export type AnnouncedPool = {
  readonly key: string;
  readonly name: string;
  readonly labels: Labels;
  /** Each new value moves the pool's addresses to the nodes that would have them if they were new. */
  readonly rebalance?: string | undefined;
};

/** What decides whether a node may announce. */
export type PlanNode = {
  readonly name: string;
  readonly labels: Labels;
  readonly ready: boolean;
  readonly networkUnavailable: boolean;
};

/** One address in a node's plan; `nodes` are the candidates in order, no `interfaces` means every usable one. */
export type Vip = {
  readonly ip: string;
  readonly nodes: readonly string[];
  readonly interfaces?: readonly string[] | undefined;
  /** The first candidate is to take over, and does not answer yet; for the operator alone. */
  readonly moving?: true | undefined;
};

/** All that a node's Leases say; `rebalanced` is the value of each pool's rebalancing that has been followed. */
export type NodePlan = { readonly vips: readonly Vip[]; readonly rebalanced: Readonly<Record<string, string>> };

/** Why nobody announces an address. */
export type NotAnnouncedReason = "noEndpoints" | "noMatchingAdvertisement" | "sharerNotAdvertised" | "noEligibleNode";

/** Why one node may not announce an address. */
export type NodeReason =
  | "networkUnavailable"
  | "excludedByLabel"
  | "notSelected"
  | "sharersDisagree"
  | "noLocalEndpoint";

/** A node that may not announce. */
export type NodeRefusal = { readonly node: string; readonly reason: NodeReason };

/** An address that nobody announces; `nodes` says why not for every node, and is empty where the node does not matter. */
export type NotAnnounced = {
  readonly service: ServiceKey;
  readonly ip: string;
  readonly pool: string;
  readonly reason: NotAnnouncedReason;
  readonly nodes: readonly NodeRefusal[];
  /** The Service that shares the address and is not advertised. */
  readonly sharer?: ServiceKey | undefined;
};

/** What became of one address of a Service: its candidates in order, or why there are none. */
export type Placed =
  | { readonly isAnnounced: true; readonly ip: string; readonly nodes: readonly string[] }
  | { readonly isAnnounced: false; readonly ip: string; readonly problem: NotAnnounced };
