/** Cached objects as the values that core decides on. No I/O, no decisions. */
import { sameAddress, type Address } from "../core/address/address.ts";
import { parseRange } from "../core/address/range.ts";
import {
  sameService,
  serviceHolder,
  servicesOf,
  type Holder,
  type ServiceName,
  type Sharer,
} from "../core/allocation/holder.ts";
import type { Occupancy } from "../core/allocation/occupancy.ts";
import { wantsAddress, type ClusterFacts } from "../core/allocation/request.ts";
import { parseSharers } from "../core/allocation/sharers-text.ts";
import { findObstacle } from "../core/allocation/sharing.ts";
import { readTerms, type SharingTerms } from "../core/allocation/terms.ts";
import { keys } from "../core/keys.ts";
import type { PlanNode } from "../core/announce/plan-types.ts";
import { addressesIn } from "./ledger.ts";
import { settings } from "./settings.ts";
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

/** A text by which an older object sorts before a younger one, and one of two of the same age always first. */
export const ageKey = (object: ApiObject): string =>
  `${String(object.metadata?.creationTimestamp)} ${printKey(serviceNameOf(object))}`;

/** Whether Berth gives this Service its addresses. */
export const isOurs = (service: Service): boolean => wantsAddress(service, settings.loadBalancerClass);

/** The addresses that Berth wrote on the Service; undefined where it has written none. */
export function annotatedAddresses(service: ApiObject): readonly Address[] | undefined {
  const text = service.metadata?.annotations?.[keys.addresses];
  return text === undefined ? undefined : addressesIn(text.split(","));
}

/** Whether Berth wrote the address on the Service. */
export const lists = (service: Service | undefined, address: Address): boolean =>
  service !== undefined && (annotatedAddresses(service) ?? []).some((listed) => sameAddress(listed, address));

/** The addresses that the Service has, by its annotation, or else by its status. */
export const listedAddresses = (service: Service): readonly Address[] =>
  annotatedAddresses(service) ?? statusAddresses(service);

/**
 * The first address that the Service was given by whatever was there before Berth, and that another Service came to hold
 * without sharing it, or that is reserved by hand, as both are stored: a claim may name the Service for an update that is on its way. Once Berth has
 * served it, its status only follows.
 */
export function findDoubled(
  service: Service,
  occupancy: Pick<Occupancy, "holderOf">,
): { readonly address: Address; readonly holder: Holder } | undefined {
  if (!isUntouched(service)) return undefined;
  for (const address of statusAddresses(service)) {
    const newcomer = { service: serviceNameOf(service), terms: readTerms(service), across: "adopted" } as const;
    const obstacle = findObstacle(occupancy.holderOf(address), newcomer);
    if (obstacle !== undefined && mayDispute(obstacle.holder)) return { address, holder: obstacle.holder };
  }
  return undefined;
}

const mayDispute = (holder: Holder): boolean => holder.kind !== "other" || holder.isDisputable === true;

/** Whether Berth has never given the Service anything: what it has is of whatever was there before. */
export const isUntouched = (service: Service): boolean =>
  annotatedAddresses(service) === undefined && isUnserved(assignedReason(service));

/** Whether Berth wrote its addresses on the Service, and no pool that they are of. */
export const isOfNoPool = (service: Service): boolean =>
  annotatedAddresses(service) !== undefined && service.metadata?.annotations?.[keys.fromPool] === undefined;

const isUnserved = (reason: string | undefined): boolean => reason === undefined || reason === keys.addressDoubled;

/** The reason in the condition that tells of the Service's addresses. */
const assignedReason = ({ status }: Service): string | undefined =>
  (status?.conditions ?? []).find(({ type }) => type === keys.addressAssigned)?.reason;

/** The addresses in the Service's status. */
export const statusAddresses = (service: Service): readonly Address[] =>
  addressesIn((service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));

/** Who holds an address by what a Service says of itself: Berth's own by name, anybody else's in words. */
export const statusHolder = (service: Service): Holder => {
  const name = serviceNameOf(service);
  if (isOurs(service)) return holderOnTerms(name, readTerms(service));
  return { kind: "other", what: `Service "${name.namespace}/${name.name}"`, isDisputable: true };
};

/** The Service as the holder of an address: for itself, or open to others where it has a key. */
export const holderOnTerms = (service: ServiceName, terms: SharingTerms): Holder =>
  terms.key === "" ? serviceHolder(service) : { kind: "shared", sharers: [{ ...service, terms: [terms] }] };

/** The address of a claim, undefined where its name is none. */
export const claimedAddress = (claim: IPAddress): Address | undefined => addressesIn([claim.metadata?.name])[0];

/** Whether Berth made the claim; where the label that says so was taken off, what else Berth wrote on it tells. */
export function isOurClaim(claim: IPAddress): boolean {
  const { labels, annotations } = metadataOf(claim);
  const manager = labels[keys.claimManagedBy];
  const isMarked = labels[keys.claimPool] !== undefined || annotations[keys.claimSharers] !== undefined;
  return manager === keys.claimManager || (manager === undefined && isMarked);
}

/** The Services that hold the address by its claim; none where the claim is not Berth's. */
export const claimantsOf = (claim: IPAddress): readonly ServiceName[] =>
  servicesOf(claimHolder(claim)).map(({ namespace, name }) => ({ namespace, name }));

/** Whether the claim is Berth's and does not say who holds the address, since somebody edited it. */
export const isDamaged = (claim: IPAddress): boolean => isOurClaim(claim) && claimantsOf(claim).length === 0;

/** Whether the Service of the claim had the address before Berth, when no pool had it. */
export const isAdoptedClaim = (claim: IPAddress): boolean =>
  claim.metadata?.annotations?.[keys.claimAdopted] === "true";

/** Whether the claim only keeps an address for the Service that gave it up. */
export const isResting = (claim: IPAddress): boolean =>
  claim.metadata?.annotations?.[keys.claimRestingSince] !== undefined;

/** Who holds an address by its claim. */
export function claimHolder(claim: IPAddress): Holder {
  if (isOurClaim(claim)) return ourHolder(claim);
  const { namespace, name = "" } = claim.spec?.parentRef ?? {};
  const owner = printKey({ namespace, name });
  const isClusterIP = metadataOf(claim).labels[keys.claimManagedBy] === CLUSTER_IP_MANAGER;
  if (isClusterIP) return { kind: "other", what: `Service "${owner}" as its ClusterIP` };
  return {
    kind: "other",
    what: `IPAddress "${metadataOf(claim).name}", made by hand for "${owner}"`,
    isDisputable: true,
  };
}

/** The annotation names the sharers; without it, the Service that the claim was made for has the address for itself. */
function ourHolder(claim: IPAddress): Holder {
  const sharers = sharersIn(claim);
  const [first] = sharers ?? [];
  if (first === undefined) {
    const what = `IPAddress "${metadataOf(claim).name}", whose annotation ${keys.claimSharers} is damaged`;
    return { kind: "other", what };
  }
  if (isResting(claim)) return { ...serviceHolder(first), isResting: true };
  return isShareable(claim) ? { kind: "shared", sharers: sharers ?? [] } : serviceHolder(first);
}

/** Whether the claim says by annotation who shares the address. */
export const isShareable = (claim: IPAddress): boolean =>
  claim.metadata?.annotations?.[keys.claimSharers] !== undefined;

/** Another text whenever the Service's part in the claim was taken up, or began to rest, whatever other sharers did. */
export function partId(claim: IPAddress, service: ServiceName): string {
  const { uid = "", resourceVersion = "", annotations } = claim.metadata ?? {};
  if (!isShareable(claim)) return `${uid} at ${resourceVersion}`;
  const turn = sharersIn(claim)?.find((sharer) => sameService(sharer, service))?.turn ?? 0;
  return `${uid} turn ${String(turn)} ${annotations?.[keys.claimRestingSince] ?? ""}`;
}

function sharersIn(claim: IPAddress): readonly Sharer[] | undefined {
  const { annotations, labels } = metadataOf(claim);
  const text = annotations[keys.claimSharers];
  const { namespace = "", name = "", resource } = claim.spec?.parentRef ?? {};
  if (text === undefined) {
    // The parent may have left the address to others since.
    const isParents = resource === "services" && labels[keys.claimShareable] === undefined;
    return isParents ? [{ namespace, name, terms: [] }] : undefined;
  }
  const sharers = parseSharers(text);
  return sharers.ok ? sharers.value : undefined;
}

/** The API server's own allocator. */
const CLUSTER_IP_MANAGER = "ipallocator.k8s.io";

/** The addresses of a node that others on the network reach it by. */
export const nodeAddresses = (node: Node): readonly Address[] =>
  addressesIn((node.status?.addresses ?? []).filter(({ type }) => type.endsWith("IP")).map(({ address }) => address));

/** Annotations in which network plugins name more addresses of the node, some with a prefix length behind. */
const PLUGIN_ADDRESSES = [
  "flannel.alpha.coreos.com/public-ip",
  "flannel.alpha.coreos.com/public-ipv6",
  "k3s.io/internal-ip",
  "k3s.io/external-ip",
  "alpha.kubernetes.io/provided-node-ip",
  "projectcalico.org/IPv4Address",
  "projectcalico.org/IPv6Address",
  "projectcalico.org/IPv4IPIPTunnelAddr",
  "projectcalico.org/IPv4VXLANTunnelAddr",
  "network.cilium.io/ipv4-cilium-host",
  "network.cilium.io/ipv6-cilium-host",
] as const;

/** The addresses of the node that its network plugin tells of. */
export function pluginAddresses({ metadata }: Node): readonly Address[] {
  const texts = PLUGIN_ADDRESSES.flatMap((name) => (metadata?.annotations?.[name] ?? "").split(","));
  return addressesIn(texts.map((text) => text.trim().split("/")[0]));
}

/** The first address of each of the node's pod ranges: network plugins give it to the node as the pods' gateway. */
export const podGateways = ({ spec }: Node): readonly Address[] =>
  (spec?.podCIDRs ?? []).flatMap((cidr) => {
    const range = parseRange(cidr);
    return range.ok ? [{ ...range.value.first, value: range.value.first.value + 1n }] : [];
  });

/** The families of ClusterIPs, the first one primary; IPv4 alone where the API server does not tell. */
export function clusterFacts(cidrs: ServiceCIDR | undefined): ClusterFacts {
  const families = (cidrs?.spec?.cidrs ?? []).map((cidr) => (cidr.includes(":") ? "IPv6" : "IPv4"));
  return { primaryFamily: families[0] ?? "IPv4", secondaryFamily: families[1] };
}

/** A node as the planner sees it; without an announcer that runs it is not ready. */
export function planNode(node: Node, isAnnouncing: boolean): PlanNode {
  const { name, labels } = metadataOf(node);
  const networkUnavailable = hasCondition(node, "NetworkUnavailable");
  return { name, labels, ready: isReady(node) && isAnnouncing, networkUnavailable };
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
