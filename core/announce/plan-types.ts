/** What the planner takes and gives. */
import type { Address } from "../address/address.ts";
import type { Labels } from "../labels.ts";
import type { Advertisement } from "./advertisement.ts";
import type { EndpointSummary } from "./endpoints.ts";

/** A Service that holds addresses, with what decides where they are announced. */
export type AnnouncedService = {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly addresses: readonly Address[];
  /** The pool the addresses are from, namespace/name. */
  readonly pool: string;
  readonly externalTrafficPolicy?: string | undefined;
  readonly endpoints: EndpointSummary;
};

/** What an advertisement chooses a pool by; a Pool fits. */
export type AnnouncedPool = { readonly key: string; readonly name: string; readonly labels: Labels };

/** What decides whether a node may announce. */
export type PlanNode = {
  readonly name: string;
  readonly labels: Labels;
  readonly ready: boolean;
  readonly networkUnavailable: boolean;
};

/** Everything that the announcements follow from. */
export type PlanInput = {
  readonly services: readonly AnnouncedService[];
  readonly pools: readonly AnnouncedPool[];
  readonly advertisements: readonly Advertisement[];
  readonly nodes: readonly PlanNode[];
  /** The node that answers for an address now, by the address's canonical text; it stays first while it may. */
  readonly answering?: ReadonlyMap<string, string> | undefined;
  /** Announce from nodes that carry the exclude label too. */
  readonly ignoreExcludeLabel?: boolean | undefined;
};

/** One address in a node's plan; `nodes` are the candidates in order, no `interfaces` means every usable one. */
export type Vip = {
  readonly ip: string;
  readonly nodes: readonly string[];
  readonly interfaces?: readonly string[];
};

/** The announcements: what each node's Lease says, and what nobody announces. */
export type AnnouncementPlan = {
  /** For every node of the input, sorted by name: its addresses, sorted; empty where it has none. */
  readonly perNode: ReadonlyMap<string, readonly Vip[]>;
  /** The candidates of every announced address, sorted by address. */
  readonly announced: readonly Announced[];
  /** The addresses that nobody announces, sorted, with the reason. */
  readonly notAnnounced: readonly NotAnnounced[];
};

/** An address that is announced, its Service, and its candidates in order. */
export type Announced = {
  readonly service: { readonly namespace: string; readonly name: string };
  readonly ip: string;
  readonly nodes: readonly string[];
};

/** Why nobody announces an address. */
export type NotAnnouncedReason = "noEndpoints" | "noMatchingAdvertisement" | "noEligibleNode";

/** Why one node may not announce an address. */
export type NodeReason = "networkUnavailable" | "excludedByLabel" | "notSelected" | "noLocalEndpoint";

/** An address that nobody announces; `nodes` says why not for every node, and is empty where the node does not matter. */
export type NotAnnounced = {
  readonly service: { readonly namespace: string; readonly name: string };
  readonly ip: string;
  readonly pool: string;
  readonly reason: NotAnnouncedReason;
  readonly nodes: readonly { readonly node: string; readonly reason: NodeReason }[];
};
