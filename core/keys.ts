/** Every annotation, label, finalizer, condition and field-manager name, once. Imports nothing. */

/** Names by what they are for; MetalLB's own where one exists, else below `berth.dev`. */
export const keys = {
  /** Service annotation: the addresses Berth gave, comma-separated, canonical; set only by Berth. */
  addresses: "berth.dev/addresses",

  /** Service annotations that ask for addresses; the new one wins whenever its key exists. */
  pinNew: "metallb.io/loadBalancerIPs",
  pinOld: "metallb.universe.tf/loadBalancerIPs",
  /** The third way to ask for an address, as people know it. */
  pinSpec: "spec.loadBalancerIP",
  /** Service annotations that ask for a pool by name. */
  poolNew: "metallb.io/address-pool",
  poolOld: "metallb.universe.tf/address-pool",
  /** Service annotations that allow sharing an address. */
  shareNew: "metallb.io/allow-shared-ip",
  shareOld: "metallb.universe.tf/allow-shared-ip",
  /** Service annotation that names the pool the addresses came from; set only by Berth. */
  fromPool: "metallb.io/ip-allocated-from-pool",
  /** The prefix MetalLB gave up; its use earns a Warning. */
  deprecatedPrefix: "metallb.universe.tf/",

  /** Pool annotation: how long a released address rests before another Service gets it, such as 30s; default 0s. */
  poolCoolDown: "berth.dev/cool-down",
  /** Pool annotation: "true" lets Services of different namespaces share an address of the pool. */
  poolCrossNamespaceSharing: "berth.dev/cross-namespace-sharing",
  /** Pool annotation: "true" lets a change of the pool take addresses from Services. */
  poolAllowRenumbering: "berth.dev/allow-renumbering",

  /** Labels of a claim (networking.k8s.io/v1 IPAddress). */
  claimManagedBy: "ipaddress.kubernetes.io/managed-by",
  claimFamily: "ipaddress.kubernetes.io/ip-family",
  claimPool: "berth.dev/pool",
  claimPoolNamespace: "berth.dev/pool-namespace",
  /** "true" once the claim has named sharers: its parent, a Service perhaps, does not say any more who has the address. */
  claimShareable: "berth.dev/shareable",
  /** Annotation of a claim: how often a Service that was deleted and created again took it up. */
  claimRenewals: "berth.dev/renewals",
  /** Annotation of a claim on an address that may be shared: the Services that share it, and on which terms. */
  claimSharers: "berth.dev/sharers",
  /** Annotation of a claim that nobody needs and that a cool-down keeps: since when, RFC 3339. */
  claimRestingSince: "berth.dev/resting-since",
  /** On a claim of a Service that had the address before Berth, when no pool had it. */
  claimAdopted: "berth.dev/adopted",
  /** The value of claimManagedBy on Berth's claims. */
  claimManager: "berth.dev",

  /** Labels of a node's Lease. */
  leaseManagedBy: "app.kubernetes.io/managed-by",
  leaseApp: "app",
  leaseNode: "berth.dev/node",
  /** On the further Leases of a node whose plan does not fit into one: which of them it is, from 1. */
  leaseShard: "berth.dev/shard",
  /** The values of leaseManagedBy and leaseApp. */
  leaseManager: "berth",
  leaseAppName: "metallb",
  /** A node's Lease is named by this and the node's name. */
  leasePrefix: "announcer-",
  /** A further Lease is named by this, its number, a dot and the node's name: no node's first Lease is named so. */
  shardPrefix: "announcer.",

  /** Annotations of a node's Lease: the operator's plan, the announcer's answer. */
  plan: "berth.dev/plan",
  status: "berth.dev/status",

  /** Annotation of a pool: each new value moves its addresses to the nodes that would have them if they were new. */
  rebalance: "berth.dev/rebalance",

  /** The Secret with the keys by which announcers know each other; each key is named by this and when it was made. */
  helloSecret: "announcer-hello",
  helloKeyPrefix: "key-",

  /** Labels of a ServiceL2Status, MetalLB's. */
  l2StatusNode: "metallb.io/node",
  l2StatusService: "metallb.io/service-name",
  l2StatusNamespace: "metallb.io/service-namespace",

  /** Name of the port that a Service gets which lists none. */
  defaultPort: "berth-default",

  /** Condition type on a Service: True while it has its addresses. */
  addressAssigned: "berth.dev/AddressAssigned",
  /** Its reason on a Service that has what it asks for. */
  assigned: "Assigned",
  /** Its reason on a Service whose address, from before Berth, another Service holds. */
  addressDoubled: "AddressDoubled",

  /** Condition type on a pool and an advertisement: True while it works as it stands. */
  ready: "berth.dev/Ready",

  /** Condition type on a Service: True while a node answers for each of its addresses. */
  announced: "berth.dev/Announced",

  /** The class of Services that are Berth's, beside those without a class. */
  loadBalancerClass: "berth.dev/berth",

  /** Node label whose presence keeps the node from announcing. */
  excludeNode: "node.kubernetes.io/exclude-from-external-load-balancers",

  /** Server-side-apply field managers of the two owners of a Lease. */
  operatorFieldManager: "berth-operator",
  announcerFieldManager: "berth-announcer",
  /** Server-side-apply field manager of the status of pools and advertisements. */
  statusFieldManager: "berth-status",

  /** Who the operator is to the API server: the ServiceAccount that Pepr makes, by the uuid in package.json. */
  operatorUser: "system:serviceaccount:pepr-system:pepr-berth",

  /** Who deletes what stands in a deleted namespace: the controller by its own ServiceAccount, or all of them by one name. */
  namespaceCleaners: ["system:serviceaccount:kube-system:namespace-controller", "system:kube-controller-manager"],

  /** Namespace of the DaemonSet, the Leases and the Secrets. */
  namespace: "metallb-system",
  /** Namespace of the operator, which Pepr chooses. */
  operatorNamespace: "pepr-system",
  /** The Lease in it by which the watchers agree who leads. */
  watcherLease: "berth-watcher",

  /** The Secret in it with what the webhooks are served with. */
  servingSecret: "berth-webhook",

  /** API group of the pools and advertisements. */
  metallbGroup: "metallb.io",
} as const;
