/** Cached objects as the values that core decides on. No I/O, no decisions. */
import type { Address } from "../core/address/address.ts";
import { serviceHolder, type Holder, type ServiceName } from "../core/allocation/holder.ts";
import { wantsAddress, type ClusterFacts } from "../core/allocation/request.ts";
import { keys } from "../core/keys.ts";
import type { PlanNode } from "../core/announce/plan-types.ts";
import { addressesIn } from "./ledger.ts";
import {
  metadataOf,
  printKey,
  type ApiObject,
  type IPAddress,
  type Lease,
  type Node,
  type Service,
  type ServiceCIDR,
} from "./kinds.ts";

/** The name of a Service that is stored. */
export function serviceNameOf(object: ApiObject): ServiceName {
  const { namespace, name } = metadataOf(object);
  return { namespace, name };
}

/** Whether Berth gives this Service its addresses. */
export const isOurs = (service: Service): boolean => wantsAddress(service, keys.loadBalancerClass);

/** The addresses that Berth wrote on the Service; undefined where it has written none. */
export function annotatedAddresses(service: ApiObject): readonly Address[] | undefined {
  const text = service.metadata?.annotations?.[keys.addresses];
  return text === undefined ? undefined : addressesIn(text.split(","));
}

/** The addresses in the Service's status. */
export const statusAddresses = (service: Service): readonly Address[] =>
  addressesIn((service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));

/** Who holds an address by what a Service says of itself: Berth's own by name, anybody else's in words. */
export const statusHolder = (service: Service): Holder => {
  const name = serviceNameOf(service);
  if (isOurs(service)) return serviceHolder(name);
  return { kind: "other", what: `Service "${name.namespace}/${name.name}"` };
};

/** The address of a claim, undefined where its name is none. */
export const claimedAddress = (claim: IPAddress): Address | undefined => addressesIn([claim.metadata?.name])[0];

/** Whether Berth made the claim. */
export const isOurClaim = (claim: IPAddress): boolean =>
  metadataOf(claim).labels[keys.claimManagedBy] === keys.claimManager;

/** The Service that a claim names. */
export function claimantOf({ spec }: IPAddress): ServiceName {
  const { namespace = "", name = "" } = spec?.parentRef ?? {};
  return { namespace, name };
}

/** Who holds an address by its claim. */
export function claimHolder(claim: IPAddress): Holder {
  const claimant = claimantOf(claim);
  if (isOurClaim(claim)) return serviceHolder(claimant);
  const owner = printKey(claimant);
  const isClusterIP = metadataOf(claim).labels[keys.claimManagedBy] === CLUSTER_IP_MANAGER;
  if (isClusterIP) return { kind: "other", what: `Service "${owner}" as its ClusterIP` };
  return { kind: "other", what: `IPAddress "${metadataOf(claim).name}", made by hand for "${owner}"` };
}

/** The API server's own allocator. */
const CLUSTER_IP_MANAGER = "ipallocator.k8s.io";

/** The addresses of a node that others on the network reach it by. */
export const nodeAddresses = (node: Node): readonly Address[] =>
  addressesIn((node.status?.addresses ?? []).filter(({ type }) => type.endsWith("IP")).map(({ address }) => address));

/** The families of ClusterIPs, the first one primary; IPv4 alone where the API server does not tell. */
export function clusterFacts(cidrs: ServiceCIDR | undefined): ClusterFacts {
  const families = (cidrs?.spec?.cidrs ?? []).map((cidr) => (cidr.includes(":") ? "IPv6" : "IPv4"));
  return { primaryFamily: families[0] ?? "IPv4", secondaryFamily: families[1] };
}

/** A node as the planner sees it; without an announcer that has taken up its Lease it is not ready. */
export function planNode(node: Node, lease: Lease | undefined): PlanNode {
  const { name, labels } = metadataOf(node);
  const networkUnavailable = hasCondition(node, "NetworkUnavailable");
  return { name, labels, ready: isReady(node) && isTakenUp(lease), networkUnavailable };
}

/** Whether Kubernetes says that the node is ready. */
export const isReady = (node: Node): boolean => hasCondition(node, "Ready");

const hasCondition = ({ status }: Node, type: string): boolean =>
  (status?.conditions ?? []).some((one) => one.type === type && one.status === "True");

/** Whether an announcer runs on the Lease's node, as far as the Lease tells: one that leaves takes its name out. */
export const isTakenUp = (lease: Lease | undefined): boolean => (lease?.spec?.holderIdentity ?? "") !== "";

/** Whether the Service asks for an address by name, well or badly. */
export function asksForAddress({ metadata, spec }: Service): boolean {
  const pins = [metadata?.annotations?.[keys.pinNew], metadata?.annotations?.[keys.pinOld], spec?.loadBalancerIP];
  return pins.some((pin) => pin !== undefined && pin !== "");
}
