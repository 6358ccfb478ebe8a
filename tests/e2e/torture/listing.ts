/** What `kubectl get` shows, and what can be read off one object of it. */
import type { Api } from "../../../cluster/api.ts";
import type { IPAddressPool } from "../../../cluster/crd.ts";
import { kinds, metadataOf, type IPAddress, type Namespace, type Node, type Service } from "../../../cluster/kinds.ts";

/** All objects that the checker looks at. */
export type Listing = {
  readonly services: readonly Service[];
  readonly claims: readonly IPAddress[];
  readonly pools: readonly IPAddressPool[];
  readonly namespaces: readonly Namespace[];
  readonly nodes: readonly Node[];
};

export async function listAll(api: Api): Promise<Listing> {
  const [services, claims, pools, namespaces, nodes] = await Promise.all([
    api.list(kinds.services),
    api.list(kinds.claims),
    api.list(kinds.pools),
    api.list(kinds.namespaces),
    api.list(kinds.nodes),
  ]);
  return {
    services: services.items,
    claims: claims.items,
    pools: pools.items,
    namespaces: namespaces.items,
    nodes: nodes.items,
  };
}

/** namespace/name. */
export const nameOf = ({ metadata }: { metadata?: { namespace?: string; name?: string } }): string =>
  `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;

/** Whether the Service is one that Berth serves. */
export const isServed = ({ spec }: Service): boolean =>
  spec?.type === "LoadBalancer" && [undefined, "berth.dev/berth"].includes(spec.loadBalancerClass);

const split = (text: string): readonly string[] => (text === "" ? [] : text.split(",").map((part) => part.trim()));

/** The addresses in the annotation. */
export const annotated = ({ metadata }: Service): readonly string[] =>
  split(metadata?.annotations?.["berth.dev/addresses"] ?? "");

/** The addresses in the status. */
export const shown = ({ status }: Service): readonly string[] =>
  (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? "");

/** The value of an annotation under MetalLB's new or old prefix. */
const annotationOf = ({ metadata }: Service, name: string): string =>
  metadata?.annotations?.[`metallb.io/${name}`] ?? metadata?.annotations?.[`metallb.universe.tf/${name}`] ?? "";

/** The addresses that the Service asks for. */
export const pinsOf = (service: Service): readonly string[] => {
  const pins = split(annotationOf(service, "loadBalancerIPs"));
  return pins.length > 0 ? pins : split(service.spec?.loadBalancerIP ?? "");
};

/** The pool that it asks for. */
export const poolNameOf = (service: Service): string => annotationOf(service, "address-pool");

/** Its sharing key. */
export const sharingKey = (service: Service): string => annotationOf(service, "allow-shared-ip");

/** The condition that tells of its addresses. */
export const conditionOf = ({ status }: Service): { readonly status: string; readonly reason: string } | undefined =>
  (status?.conditions ?? []).find(({ type }) => type === "berth.dev/AddressAssigned");

/** Whether Berth made the claim. */
export const isBerths = ({ metadata }: IPAddress): boolean =>
  metadata?.labels?.["ipaddress.kubernetes.io/managed-by"] === "berth.dev";

/** Whether the claim only keeps an address that its pool has rest. */
export const rests = ({ metadata }: IPAddress): boolean =>
  metadata?.annotations?.["berth.dev/resting-since"] !== undefined;

/** The Services that the claim names. */
export function holdersOf({ metadata, spec }: IPAddress): readonly string[] {
  const text = metadata?.annotations?.["berth.dev/sharers"];
  const { resource, namespace = "", name = "" } = spec?.parentRef ?? {};
  if (text === undefined) return resource === "services" ? [`${namespace}/${name}`] : [];
  const sharers = JSON.parse(text) as readonly { readonly service: string }[];
  return sharers.map(({ service }) => service);
}

/** Whether the pool serves the Service's namespace and labels. */
export function serves(pool: IPAddressPool, service: Service, listing: Listing): boolean {
  const { serviceSelectors } = pool.spec?.serviceAllocation ?? {};
  const isSelected = serviceSelectors?.some(fits(metadataOf(service).labels)) ?? true;
  return isSelected && servesNamespace(pool, metadataOf(service).namespace, listing);
}

function servesNamespace({ spec }: IPAddressPool, namespace: string, { namespaces }: Listing): boolean {
  const { namespaces: names = [], namespaceSelectors = [] } = spec?.serviceAllocation ?? {};
  if (names.length + namespaceSelectors.length === 0) return true;
  const home = namespaces.find(({ metadata }) => metadata?.name === namespace) ?? {};
  return names.includes(namespace) || namespaceSelectors.some(fits(metadataOf(home).labels));
}

/** Selectors by labels alone: the tests use no other. */
const fits =
  (labels: Readonly<Record<string, string>>) =>
  ({ matchLabels = {} }: { matchLabels?: Record<string, string> }): boolean =>
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
