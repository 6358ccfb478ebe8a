/** Builders of the API's objects and of Pepr's requests; they show only what matters. */
import { type a, PeprMutateRequest, PeprValidateRequest } from "pepr";
import type { IPAddressPool, L2Advertisement } from "../../cluster/crd.ts";
import { metadataOf, parseKey } from "../../cluster/kinds.ts";
import type {
  ApiObject,
  EndpointSlice,
  IPAddress,
  Lease,
  Metadata,
  Namespace,
  Node,
  Service,
  ServiceCIDR,
} from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";

/** An object as JSON has it, times being text; the models claim that they are Dates. */
const as = <T>(object: { metadata: Metadata } & Record<string, unknown>): T => object as unknown as T;

const metadataFor = (key: string, rest: Metadata = {}): Metadata => {
  const { namespace, name } = parseKey(key);
  return { ...(namespace === undefined ? {} : { namespace }), name, ...rest };
};

/** What a Service says beside its name; `pin` and `addresses` are annotations, `status` its ingress. */
export type ServiceParts = {
  readonly pin?: string;
  readonly addresses?: string;
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly metadata?: Metadata;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: readonly string[];
};

/** A LoadBalancer "namespace/name" with one port. */
export function service(key: string, parts: ServiceParts = {}): Service {
  const { pin, addresses, labels, status } = parts;
  const annotations = {
    ...(pin === undefined ? {} : { [keys.pinOld]: pin }),
    ...(addresses === undefined ? {} : { [keys.addresses]: addresses }),
    ...parts.annotations,
  };
  return as<Service>({
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataFor(key, {
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(labels === undefined ? {} : { labels }),
      ...parts.metadata,
    }),
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...parts.spec },
    ...(status === undefined ? {} : { status: { loadBalancer: { ingress: status.map((ip) => ({ ip })) } } }),
  });
}

/** A pool of these ranges, "network/<name>" unless a namespace is given. */
export const pool = (
  key: string,
  addresses: readonly string[],
  spec: Partial<NonNullable<IPAddressPool["spec"]>> = {},
  metadata: Metadata = {},
): IPAddressPool =>
  as<IPAddressPool>({
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: metadataFor(key.includes("/") ? key : `network/${key}`, metadata),
    spec: { addresses: [...addresses], ...spec },
  });

/** An advertisement "network/<name>"; without a spec it takes in everything. */
export const advertisement = (
  name: string,
  spec: Partial<NonNullable<L2Advertisement["spec"]>> = {},
): L2Advertisement =>
  as<L2Advertisement>({
    apiVersion: "metallb.io/v1beta1",
    kind: "L2Advertisement",
    metadata: metadataFor(`network/${name}`),
    spec,
  });

/** A node that is ready and reached by these addresses. */
export const node = (name: string, addresses: readonly string[] = [], labels: Record<string, string> = {}): Node =>
  as<Node>({
    apiVersion: "v1",
    kind: "Node",
    metadata: metadataFor(name, { labels }),
    status: {
      addresses: addresses.map((address) => ({ type: "InternalIP", address })),
      conditions: [{ type: "Ready", status: "True" }],
    },
  });

/** Endpoints of a Service, one ready on each of the nodes. */
export const endpointSlice = (serviceKey: string, ...nodes: readonly string[]): EndpointSlice => {
  const { namespace, name } = parseKey(serviceKey);
  return as<EndpointSlice>({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: metadataFor(`${namespace ?? ""}/${name}-slice`, { labels: { "kubernetes.io/service-name": name } }),
    addressType: "IPv4",
    endpoints: nodes.map((nodeName) => ({ addresses: ["10.244.0.1"], nodeName, conditions: { ready: true } })),
  });
};

export const namespace = (name: string, labels: Record<string, string> = {}): Namespace =>
  as<Namespace>({ apiVersion: "v1", kind: "Namespace", metadata: metadataFor(name, { labels }) });

/** The range of ClusterIPs; its families are those of the cluster. */
export const serviceCIDR = (...cidrs: readonly string[]): ServiceCIDR =>
  as<ServiceCIDR>({ metadata: metadataFor("kubernetes"), spec: { cidrs: [...cidrs] } });

/** The Lease that the announcer on a node has taken up. */
export const lease = (nodeName: string, annotations: Record<string, string> = {}): Lease =>
  as<Lease>({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: metadataFor(`${keys.namespace}/${keys.leasePrefix}${nodeName}`, {
      labels: { [keys.leaseManagedBy]: keys.leaseManager },
      annotations,
    }),
    spec: { holderIdentity: `announcer-${nodeName}`, leaseDurationSeconds: 40 },
  });

/** Berth's claim on an address for a Service; another manager where one is given. */
export const claim = (address: string, serviceKey: string, manager: string = keys.claimManager): IPAddress => {
  const { namespace: serviceNamespace, name } = parseKey(serviceKey);
  return as<IPAddress>({
    apiVersion: "networking.k8s.io/v1",
    kind: "IPAddress",
    metadata: metadataFor(address, { labels: { [keys.claimManagedBy]: manager } }),
    spec: { parentRef: { group: "", resource: "services", namespace: serviceNamespace, name } },
  });
};

/** What a request is beside its object. */
export type RequestParts<T> = {
  readonly operation?: "CREATE" | "UPDATE" | "DELETE";
  readonly oldObject?: T | undefined;
  readonly isDryRun?: boolean;
  readonly user?: string;
};

type Input<T extends ApiObject> = ConstructorParameters<typeof PeprMutateRequest<T & a.GenericKind>>[0];

/** What the API server sends a webhook: null for what there is not. */
function admissionRequest<T extends ApiObject>(object: T, parts: RequestParts<T>): Input<T> {
  const { oldObject, isDryRun = false, user = "someone" } = parts;
  const operation = parts.operation ?? (oldObject === undefined ? "CREATE" : "UPDATE");
  const isDelete = operation === "DELETE";
  return structuredClone({
    uid: "request",
    ...kindOf(object),
    name: metadataOf(object).name,
    namespace: metadataOf(object).namespace,
    operation,
    userInfo: { username: user },
    object: isDelete ? null : object,
    oldObject: oldObject ?? (isDelete ? object : null),
    dryRun: isDryRun,
  }) as unknown as Input<T>;
}

function kindOf({ apiVersion = "v1", kind = "" }: ApiObject): Pick<Input<ApiObject>, "kind" | "resource"> {
  const [version = "", group = ""] = apiVersion.split("/").toReversed();
  return { kind: { group, version, kind }, resource: { group, version, resource: `${kind.toLowerCase()}s` } };
}

/** A request as Mutate gets it. */
export const mutateRequest = <T extends ApiObject>(
  object: T,
  parts: RequestParts<T> = {},
): PeprMutateRequest<T & a.GenericKind> => new PeprMutateRequest(admissionRequest(object, parts));

/** A request as Validate gets it. */
export const validateRequest = <T extends ApiObject>(
  object: T,
  parts: RequestParts<T> = {},
): PeprValidateRequest<T & a.GenericKind> => new PeprValidateRequest(admissionRequest(object, parts));
