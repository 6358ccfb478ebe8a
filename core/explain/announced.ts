/** Whether a Service is announced, in words. */
import type { Announcement, Answerer, SilentCandidate } from "../announce/announcement.ts";
import type { NodeReason, NodeRefusal, NotAnnounced } from "../announce/plan-types.ts";
import type { AnnouncedReason } from "./reasons.ts";

/** What the condition on the Service says. */
export type AnnouncedCondition = {
  readonly status: "True" | "False";
  /** Machine-readable, in the manner of Kubernetes: one word, CamelCase. */
  readonly reason: AnnouncedReason;
  readonly message: string;
};

const REASONS = {
  noEndpoints: "NoEndpoints",
  noMatchingAdvertisement: "NoMatchingAdvertisement",
  sharerNotAdvertised: "SharerNotAdvertised",
  noEligibleNode: "NoEligibleNode",
} as const satisfies Readonly<Record<NotAnnounced["reason"], AnnouncedReason>>;

/** How many nodes a sentence names before it counts the rest. */
const MAX_NODES = 5;

/** The condition that says how a Service stands. */
export function announcedCondition(announcement: Announcement): AnnouncedCondition {
  switch (announcement.kind) {
    case "announced":
      return { status: "True", reason: "Announced", message: announcement.addresses.map(explainAnswerer).join(", ") };
    case "notAnnounced": {
      const { reason } = announcement.problem;
      const message = explainNotAnnounced(announcement.problem);
      return { status: "False", reason: REASONS[reason], message };
    }
    case "waiting":
      return { status: "False", reason: "WaitingForAnnouncer", message: explainWaiting(announcement) };
  }
}

function explainAnswerer({ ip, node, interfaces }: Answerer): string {
  const where = interfaces.length === 0 ? "" : ` on ${interfaces.join(" and ")}`;
  return `Node "${node}" announces ${ip}${where}`;
}

/** One sentence: why nobody announces the address, for the nodes where the node matters. */
export function explainNotAnnounced({ service, ip, pool, reason, nodes, sharer }: NotAnnounced): string {
  const thing = `Service "${service.namespace}/${service.name}" has ${ip}, which no node announces`;
  switch (reason) {
    case "noEndpoints":
      return `${thing}, since it has no ready endpoint; start a pod that its selector matches`;
    case "noMatchingAdvertisement":
      return `${thing}, since no L2Advertisement takes in IPAddressPool "${pool}" and this Service; create one`;
    case "sharerNotAdvertised": {
      const other = `Service "${sharer?.namespace ?? ""}/${sharer?.name ?? ""}"`;
      return `${thing}, since ${other} shares an address with it and no L2Advertisement takes that one in; create one that does`;
    }
    case "noEligibleNode":
      return `${thing}: ${nodes.length === 0 ? "there is no node" : listed(nodes, explainNode)}; make one node eligible`;
  }
}

function listed<T>(items: readonly T[], print: (item: T) => string): string {
  const named = items.slice(0, MAX_NODES).map(print).join(", ");
  const more = items.length - MAX_NODES;
  return more <= 0 ? named : `${named}, and ${String(more)} more ${more === 1 ? "node" : "nodes"}`;
}

const NODE_WORDS: Readonly<Record<NodeReason, string>> = {
  networkUnavailable: "has no network (condition NetworkUnavailable)",
  excludedByLabel: "has the label node.kubernetes.io/exclude-from-external-load-balancers",
  notSelected: "is chosen by no L2Advertisement",
  sharersDisagree: "is not chosen, on one interface, for all Services that share the address",
  noLocalEndpoint: "has no ready endpoint (externalTrafficPolicy Local)",
};

const explainNode = ({ node, reason }: NodeRefusal): string => `Node "${node}" ${NODE_WORDS[reason]}`;

function explainWaiting({ service, ip, candidates }: Extract<Announcement, { kind: "waiting" }>): string {
  const thing = `Service "${service.namespace}/${service.name}" has ${ip}, which no node answers for yet`;
  return `${thing}: ${listed(candidates, explainSilence)}; see kubectl logs -n metallb-system -l component=announcer`;
}

function explainSilence({ node, isReady, reason }: SilentCandidate): string {
  const word = reason === undefined ? undefined : (silenceWords(reason) ?? `reports "${reason}"`);
  return `Node "${node}" ${isReady ? (word ?? "has not reported on it") : "is not ready, or no announcer runs there"}`;
}

function silenceWords(reason: string): string | undefined {
  switch (reason) {
    case "notFirst":
      return "waits for a node before it";
    case "notACandidate":
      return "has an older plan";
    case "interfaceMissing":
      return "has none of the interfaces that its L2Advertisements name";
    case "interfaceUnusable":
      return "can't use the interfaces that its L2Advertisements name";
    case "noUsableInterface":
      return "has no usable interface";
    case "stopping":
      return "is stopping";
  }
  return undefined;
}
