/** Any refusal as one sentence for people; Deny, Event and condition share it. The texts stand in explain/. */
import type { AllocationRefusal, RequestRefusal, StrandedAddresses } from "./allocation/refusal.ts";
import type { AdvertisementRefusal } from "./announce/advertisement.ts";
import type { NodeReason, NotAnnounced } from "./announce/plan-types.ts";
import { explainAllocation } from "./explain/allocation.ts";
import { explainAdvertisement, explainPool } from "./explain/pool.ts";
import { explainRequest } from "./explain/request.ts";
import type { PoolOverlap, PoolRefusal } from "./pool/refusal.ts";

/** Everything that can be refused. */
export type Refusal =
  | PoolRefusal
  | PoolOverlap
  | AdvertisementRefusal
  | RequestRefusal
  | AllocationRefusal
  | StrandedAddresses;

/** One sentence: the thing and its name, what was seen, and after a semicolon what to do; without a final full stop. */
export function explain(refusal: Refusal): string {
  if ("service" in refusal) return isRequestRefusal(refusal) ? explainRequest(refusal) : explainAllocation(refusal);
  if (refusal.kind === "badWeight") return explainAdvertisement(refusal);
  return explainPool(refusal);
}

const REQUEST_KINDS: Readonly<Record<RequestRefusal["kind"], true>> = {
  malformedPin: true,
  holeInPins: true,
  duplicatePin: true,
  twoPinsOfOneFamily: true,
  pinnedTwice: true,
  wrongFamilyPin: true,
  headless: true,
};

const isRequestRefusal = (refusal: RequestRefusal | AllocationRefusal): refusal is RequestRefusal =>
  Object.hasOwn(REQUEST_KINDS, refusal.kind);

/** One sentence: why nobody announces the address, for every node where the node matters. */
export function explainNotAnnounced({ service, ip, pool, reason, nodes }: NotAnnounced): string {
  const thing = `Service "${service.namespace}/${service.name}" has ${ip}, which no node announces`;
  switch (reason) {
    case "noEndpoints":
      return `${thing}, since it has no ready endpoint; start a pod that its selector matches`;
    case "noMatchingAdvertisement":
      return `${thing}, since no L2Advertisement takes in IPAddressPool "${pool}" and this Service; create one`;
    case "noEligibleNode":
      return `${thing}: ${nodes.length === 0 ? "there is no node" : nodes.map(explainNode).join(", ")}; make one node eligible`;
  }
}

const NODE_WORDS: Readonly<Record<NodeReason, string>> = {
  networkUnavailable: "has no network (condition NetworkUnavailable)",
  excludedByLabel: "has the label node.kubernetes.io/exclude-from-external-load-balancers",
  notSelected: "is chosen by no L2Advertisement",
  noLocalEndpoint: "has no ready endpoint (externalTrafficPolicy Local)",
};

const explainNode = ({ node, reason }: NotAnnounced["nodes"][number]): string => `Node "${node}" ${NODE_WORDS[reason]}`;
