/** What each right is for, and which of them a run of the end-to-end tests need not show used. */

/** By resource; a rule that is tied to names has a purpose of its own. */
export type Purposes = Readonly<Record<string, string>>;

/** Of the operator: its admission pods and its watchers share one ServiceAccount, which Pepr makes. */
export const operatorPurposes: Purposes = {
  services:
    "reads which Services ask for an address, and one that is newer than the cache; writes the annotations of those that the webhooks did not see",
  "services/status": "writes the address and the conditions",
  nodes: "plans which nodes announce; keeps pools off the nodes' own addresses",
  namespaces: "reads the labels that pools select namespaces by",
  "events.events.k8s.io": "tells what was given and what is wrong, on the Service or pool",
  "endpointslices.discovery.k8s.io": "plans by which nodes have ready endpoints",
  "ipaddresses.networking.k8s.io":
    "makes, shares and frees the claims; reads one that is not yet in the cache, and all, so that no address of anybody's is given out",
  "servicecidrs.networking.k8s.io": "keeps pools off the ClusterIPs; knows which families the cluster has",
  "leases.coordination.k8s.io":
    "writes each node's plan into its Lease in metallb-system, and agrees there which watcher leads (in pepr-system). " +
    "**Wider than used**: Pepr makes a ClusterRole, which knows no namespaces; and what the announcers' Role grants, who makes it must hold",
  "ipaddresspools.metallb.io": "reads the pools",
  "l2advertisements.metallb.io": "reads the advertisements",
  "ipaddresspools/status.metallb.io": "writes the counts and the condition",
  "l2advertisements/status.metallb.io": "writes the condition",
  "servicel2statuses.metallb.io": "makes and deletes the objects that say which node announces a Service",
  "servicel2statuses/status.metallb.io": "writes node and interface into them",
  "mutatingwebhookconfigurations.admissionregistration.k8s.io":
    "notices when Pepr writes its configuration anew. Reads those of others too, since a watch of one name can't be told apart in the cache",
  "validatingwebhookconfigurations.admissionregistration.k8s.io": "the same",
  "mutatingwebhookconfigurations.admissionregistration.k8s.io, named":
    "narrows Pepr's configuration to what concerns Berth",
  "validatingwebhookconfigurations.admissionregistration.k8s.io, named": "the same",
  "secrets, named":
    "makes and renews the key of the announcers' hellos, and the certificate and path of the webhooks. In any namespace, but only these names",
  "deployments.apps, named": "gives its own pods what Pepr leaves out (`docs/operations.md`)",
  "daemonsets.apps, named": "installs the announcers, and waits for them",
  "customresourcedefinitions.apiextensions.k8s.io, named":
    "installs MetalLB's kinds; Pepr's launcher installs that of its Store",
  "namespaces, named": "makes metallb-system, labels both namespaces for Pod Security",
  "serviceaccounts, named": "makes the announcers'",
  "roles.rbac.authorization.k8s.io, named":
    "makes the announcers' Role, which grants nothing that the operator does not have",
  "rolebindings.rbac.authorization.k8s.io, named": "binds it",
  "validatingadmissionpolicies.admissionregistration.k8s.io, named": "keeps each announcer to its own node's Lease",
  "validatingadmissionpolicybindings.admissionregistration.k8s.io, named": "the same",
  "networkpolicies.networking.k8s.io, named": "closes all ports of its pods but one",
  "poddisruptionbudgets.policy, named": "has a drain take one of two pods at a time",
  "peprstores.pepr.dev, named":
    "Pepr's Store, which Berth keeps nothing in. Pepr reads it when it starts, and again and again",
};

/** Of the announcers, in metallb-system. */
export const announcerPurposes: Purposes = {
  "leases.coordination.k8s.io":
    "follows the plan in its node's Leases, and writes its sign of life and its answer into the first of them. Each **reads** those " +
    "of other nodes too: RBAC can't tell nodes apart, and what is in them anybody on the segment can see. It **writes** only its own node's, by the policy below",
  "secrets, named":
    "the keys of hellos, read by an announcer that was started before there were any; later from its volume",
};

/** Why a run may not show a right used. `never`: nothing uses it. `seldom`: only what such a run may lack. */
export type Excuse = { readonly right: RegExp; readonly uses: "never" | "seldom"; readonly why: string };

const sharedRule =
  "namespaces and ServiceAccounts share a rule, since Pepr would merge two rules on namespaces into one";

/** By what is written of a right: verb, resource, name. */
export const operatorExcuses: readonly Excuse[] = [
  { right: /^(create|patch) namespaces "announcer"$/, uses: "never", why: sharedRule },
  { right: /^(create|patch) serviceaccounts "(metallb|pepr)-system"$/, uses: "never", why: sharedRule },
  { right: /^create namespaces "pepr-system"$/, uses: "never", why: "Pepr has made it; the rule is metallb-system's" },
  {
    right: /^create customresourcedefinitions.apiextensions.k8s.io "peprstores.pepr.dev"$/,
    uses: "never",
    why: "`pepr deploy` has made it; the launcher applies it all the same",
  },
  { right: /^get leases.coordination.k8s.io$/, uses: "seldom", why: "after a race of two watchers for one Lease" },
  { right: /^get ipaddresses.networking.k8s.io$/, uses: "seldom", why: "after a race for an address" },
  {
    right: /^delete leases.coordination.k8s.io$/,
    uses: "seldom",
    why: "when a node is gone, or a long plan has become short",
  },
];

export const announcerExcuses: readonly Excuse[] = [
  {
    right: /^create leases.coordination.k8s.io$/,
    uses: "seldom",
    why: "on a node whose plan the operator has not written yet",
  },
  {
    right: /^get leases.coordination.k8s.io$/,
    uses: "seldom",
    why: "when it ends in order, or its plan is longer than one Lease",
  },
];
