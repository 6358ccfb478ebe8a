/** The kinds that Berth reads and writes, as the API server names them. Touches nothing. */
import type { models } from "kubernetes-fluent-client";
import type { BgpType } from "../core/explain/bgp.ts";
import type { IPAddressPool, L2Advertisement, ServiceL2Status } from "./crd.ts";

/** The part of an object's metadata that Berth uses; times are RFC 3339 text in JSON, whatever the models say. */
export type Metadata = {
  name?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generateName?: string;
  generation?: number;
  creationTimestamp?: string | Date;
  deletionTimestamp?: string | Date;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
};

/** Any object of the API. */
export type ApiObject = { apiVersion?: string; kind?: string; metadata?: Metadata };

/** One kind of object: where the API server serves it; the type parameter is the shape of what comes back. */
export type Kind<T extends ApiObject> = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** Never set: it only carries the type. */
  readonly shape?: T;
};

export type Service = models.V1Service;
export type ServiceCondition = models.V1Condition;
/** Who an address belongs to: the API server's own registry, in which it records ClusterIPs too. */
export type IPAddress = models.V1IPAddress;
export type Lease = models.V1Lease;
export type Node = models.V1Node;
export type EndpointSlice = models.V1EndpointSlice;
export type Namespace = models.V1Namespace;
/** A range of ClusterIPs; the one named `kubernetes` tells which families the cluster has. */
export type ServiceCIDR = models.V1ServiceCIDR;
export type Secret = models.V1Secret;
export type WebhookConfiguration = models.V1ValidatingWebhookConfiguration | models.V1MutatingWebhookConfiguration;

const of = <T extends ApiObject>(group: string, version: string, kind: string, plural: string): Kind<T> => ({
  group,
  version,
  kind,
  plural,
});

/** The kinds, by the name that the code uses for them. */
export const kinds = {
  services: of<Service>("", "v1", "Service", "services"),
  nodes: of<Node>("", "v1", "Node", "nodes"),
  namespaces: of<Namespace>("", "v1", "Namespace", "namespaces"),
  secrets: of<Secret>("", "v1", "Secret", "secrets"),
  events: of<ApiObject>("events.k8s.io", "v1", "Event", "events"),
  leases: of<Lease>("coordination.k8s.io", "v1", "Lease", "leases"),
  endpointSlices: of<EndpointSlice>("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
  claims: of<IPAddress>("networking.k8s.io", "v1", "IPAddress", "ipaddresses"),
  serviceCIDRs: of<ServiceCIDR>("networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs"),
  pools: of<IPAddressPool>("metallb.io", "v1beta1", "IPAddressPool", "ipaddresspools"),
  advertisements: of<L2Advertisement>("metallb.io", "v1beta1", "L2Advertisement", "l2advertisements"),
  l2Statuses: of<ServiceL2Status>("metallb.io", "v1beta1", "ServiceL2Status", "servicel2statuses"),
  mutatingWebhooks: of<models.V1MutatingWebhookConfiguration>(
    "admissionregistration.k8s.io",
    "v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
  ),
  validatingWebhooks: of<models.V1ValidatingWebhookConfiguration>(
    "admissionregistration.k8s.io",
    "v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
  ),
} as const;

/** The kinds of BGP, which Berth keeps for their owners and does not read. */
export const bgpKinds: Readonly<Record<BgpType, Kind<ApiObject>>> = {
  BGPPeer: of("metallb.io", "v1beta2", "BGPPeer", "bgppeers"),
  BGPAdvertisement: of("metallb.io", "v1beta1", "BGPAdvertisement", "bgpadvertisements"),
  BFDProfile: of("metallb.io", "v1beta1", "BFDProfile", "bfdprofiles"),
  Community: of("metallb.io", "v1beta1", "Community", "communities"),
};

/** The metadata of an object that the API server has stored, with nothing missing. */
export type Stored = {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

/** The object's metadata, empty where it has none. */
export function metadataOf({ metadata = {} }: ApiObject): Stored {
  const { name = "", namespace = "", uid = "", resourceVersion = "0", labels = {}, annotations = {} } = metadata;
  return { name, namespace, uid, resourceVersion, labels, annotations };
}

/** Where one object lives. */
export type ObjectKey = { readonly namespace?: string | undefined; readonly name: string };

/** `namespace/name`, or the name alone of what belongs to no namespace. */
export const printKey = ({ namespace, name }: ObjectKey): string =>
  namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;

/** The key of an object that the API server has stored. */
export const keyOf = (object: ApiObject): ObjectKey => ({
  namespace: object.metadata?.namespace,
  name: object.metadata?.name ?? "",
});

/** The key that {@link printKey} wrote. */
export function parseKey(text: string): ObjectKey {
  const slash = text.indexOf("/");
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** The path of a kind, or of one object of it, on the API server. */
export function pathOf<T extends ApiObject>(
  kind: Kind<T>,
  key?: { namespace?: string | undefined; name?: string },
): string {
  const base = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const namespace = key?.namespace === undefined || key.namespace === "" ? "" : `/namespaces/${key.namespace}`;
  const name = key?.name === undefined ? "" : `/${key.name}`;
  return `${base}${namespace}/${kind.plural}${name}`;
}

/** `group/version`, or the version alone of the core group. */
export const apiVersionOf = <T extends ApiObject>(kind: Kind<T>): string =>
  kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;

/** The plural that the API server serves a kind of the manifests under. */
export const pluralOf = (kind: string): string => `${kind.toLowerCase()}s`.replace(/ys$/, "ies");
