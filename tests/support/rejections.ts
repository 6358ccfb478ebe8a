/**
 * Everything that a pool or an advertisement is denied for, each by its rule; in memory and against a real API server.
 * There are node-1 with 172.30.0.11, the ServiceCIDR 10.96.0.0/16 and the pool "pools-lab/taken" of {@link TAKEN}.
 */
import type { IPAddressPool } from "../../cluster/crd.ts";
import type { Metadata } from "../../cluster/kinds.ts";

/** The addresses of the pool that is there already. */
export const TAKEN = "10.91.0.8/29";

/** What a rejection says after the object's name; `schema` is in the API server's own words where it refuses first. */
type Rejection = { readonly rule: string; readonly says: string; readonly schema?: string };

type PoolSpec = Partial<NonNullable<IPAddressPool["spec"]>>;

/** A pool of 10.92.0.0/24 unless it says otherwise. */
export type PoolRejection = Rejection & {
  readonly addresses?: readonly string[];
  readonly spec?: PoolSpec;
  readonly metadata?: Metadata;
};

const blue = { matchLabels: { team: "blue" } };
const expression = (...parts: readonly Readonly<Record<string, unknown>>[]): object => ({ matchExpressions: parts });
const selecting = (selector: object): PoolSpec => ({
  serviceAllocation: { namespaceSelectors: [selector as typeof blue] },
});

export const poolRejections: readonly PoolRejection[] = [
  { rule: "no addresses", addresses: [], says: "has no addresses; list at least one range in spec.addresses" },
  {
    rule: "a bad CIDR",
    addresses: ["10.0.0.0/33"],
    says: 'has in spec.addresses "10.0.0.0/33" with the prefix length "33"; write one from 0 to 32',
  },
  {
    rule: "a bad range",
    addresses: ["1.2.3.4-9"],
    says: 'has in spec.addresses "1.2.3.4-9", where "9" is no IP address; write one such as 192.168.1.205 or fd00::205',
  },
  {
    rule: "a bare address",
    addresses: ["10.0.0.1"],
    says: 'has in spec.addresses "10.0.0.1", a bare address; write 10.0.0.1/32 for this one address',
  },
  {
    rule: "blanks around a CIDR",
    addresses: [" 10.0.0.0/8"],
    says: 'has in spec.addresses " 10.0.0.0/8" with blanks around it; write "10.0.0.0/8"',
  },
  {
    rule: "a range that runs backwards",
    addresses: ["10.0.0.9-10.0.0.1"],
    says: 'has in spec.addresses "10.0.0.9-10.0.0.1", which runs backwards; write 10.0.0.1-10.0.0.9',
  },
  {
    rule: "no range at all",
    addresses: ["lan"],
    says: 'has in spec.addresses "lan", which is no range; write a CIDR such as 192.168.1.0/24 or a range such as 192.168.1.200-192.168.1.220',
  },
  {
    rule: "octets with leading zeros",
    addresses: ["10.0.0.001-10.0.0.9"],
    says: 'has in spec.addresses "10.0.0.001-10.0.0.9", where "10.0.0.001" has a leading zero, which some programs read as octal; write its numbers without leading zeros',
  },
  {
    rule: "an octet above 255",
    addresses: ["100.200.300.400/24"],
    says: 'has in spec.addresses "100.200.300.400/24", where "100.200.300.400" is no IP address; write one such as 192.168.1.205 or fd00::205',
  },
  {
    rule: "a zone",
    addresses: ["fd00::1%eth0-fd00::9"],
    says: 'has in spec.addresses "fd00::1%eth0-fd00::9", where "fd00::1%eth0" has a zone; write the address without "%" and what follows',
  },
  {
    rule: "a range of two families",
    addresses: ["1.2.3.4-1000::5"],
    says: 'has in spec.addresses "1.2.3.4-1000::5", which begins with IPv4 and ends with IPv6; write both ends in one family',
  },
  {
    rule: "addresses that avoidBuggyIPs keeps back, and no other",
    addresses: ["10.0.0.0/32", "10.0.0.255/32"],
    spec: { avoidBuggyIPs: true },
    says: "has only addresses that avoidBuggyIPs keeps back; add a range or turn avoidBuggyIPs off",
  },
  {
    rule: "all addresses there are",
    addresses: ["0.0.0.0/0"],
    says: 'has in spec.addresses "0.0.0.0/0", which holds unspecified addresses; use addresses of your own network',
  },
  {
    rule: "loopback addresses",
    addresses: ["127.0.0.0/8"],
    says: 'has in spec.addresses "127.0.0.0/8", which holds loopback addresses, which no other machine reaches; use addresses of your own network',
  },
  {
    rule: "multicast addresses",
    addresses: ["ff02::/64"],
    says: 'has in spec.addresses "ff02::/64", which holds multicast addresses; use addresses of your own network',
  },
  {
    rule: "link-local addresses",
    addresses: ["169.254.1.0/24"],
    says: 'has in spec.addresses "169.254.1.0/24", which holds link-local addresses, which no router forwards; use addresses of your own network',
  },
  {
    rule: "an overlap with itself",
    addresses: ["10.0.0.0/24", "10.0.0.9-10.0.0.10"],
    says: "has 10.0.0.9-10.0.0.10 and 10.0.0.0/24, which overlap; keep each address in one entry",
  },
  {
    rule: "an overlap with a pool of another namespace",
    addresses: ["10.91.0.0/24"],
    says: 'has 10.91.0.0/24, which overlaps 10.91.0.8/29 of IPAddressPool "pools-lab/taken"; keep each address in one pool',
  },
  {
    rule: "addresses of Nodes",
    addresses: ["172.30.0.11/32"],
    says: 'has 172.30.0.11 of Node "node-1"; leave addresses of Nodes out of spec.addresses',
  },
  {
    rule: "an overlap with a ServiceCIDR",
    addresses: ["10.96.7.0-10.96.8.9"],
    says: 'has 10.96.7.0-10.96.8.9, which overlaps 10.96.0.0/16 of ServiceCIDR "kubernetes", where ClusterIPs come from; use addresses outside it',
  },
  {
    rule: "a namespace named twice",
    spec: { serviceAllocation: { namespaces: ["shop", "shop"] } },
    says: 'names "shop" twice in spec.serviceAllocation.namespaces; remove one of the two',
  },
  {
    rule: "a namespace selector twice",
    spec: { serviceAllocation: { namespaceSelectors: [blue, blue] } },
    says: 'has the selector "team=blue" twice in spec.serviceAllocation.namespaceSelectors; remove one of the two',
  },
  {
    rule: "a Service selector twice, its values in another order",
    spec: {
      serviceAllocation: {
        serviceSelectors: [
          { matchExpressions: [{ key: "app", operator: "In", values: ["a", "b"] }] },
          { matchExpressions: [{ key: "app", operator: "In", values: ["b", "a"] }] },
        ],
      },
    },
    says: 'has the selector "app in (a,b)" twice in spec.serviceAllocation.serviceSelectors; remove one of the two',
  },
  {
    rule: "an expression twice in a selector",
    spec: selecting(expression({ key: "team", operator: "Exists" }, { key: "team", operator: "Exists" })),
    says: 'has in spec.serviceAllocation.namespaceSelectors a selector with the expression "team" twice; remove one of the two',
  },
  {
    rule: "a value twice in a selector",
    spec: selecting(expression({ key: "team", operator: "In", values: ["a", "a"] })),
    says: 'has in spec.serviceAllocation.namespaceSelectors a selector on "team" with the value "a" twice; remove one of the two',
  },
  {
    rule: "a selector without a key",
    spec: selecting(expression({ operator: "Exists" })),
    says: "has in spec.serviceAllocation.namespaceSelectors a selector without a key; name the label in key",
    schema: "spec.serviceAllocation.namespaceSelectors[0].matchExpressions[0].key: Required value",
  },
  {
    rule: "a selector without an operator",
    spec: selecting(expression({ key: "team" })),
    says: 'has in spec.serviceAllocation.namespaceSelectors a selector on "team" without an operator; write In, NotIn, Exists or DoesNotExist',
    schema: "spec.serviceAllocation.namespaceSelectors[0].matchExpressions[0].operator: Required value",
  },
  {
    rule: "a selector with an unknown operator",
    spec: selecting(expression({ key: "team", operator: "Gt", values: ["1"] })),
    says: 'has in spec.serviceAllocation.namespaceSelectors a selector on "team" with the operator "Gt"; write In, NotIn, Exists or DoesNotExist',
  },
  {
    rule: "a selector without the values it needs",
    spec: selecting(expression({ key: "team", operator: "In" })),
    says: 'has in spec.serviceAllocation.namespaceSelectors a selector on "team" with the operator In and no values; list at least one value',
  },
  {
    rule: "a cool-down that is no duration",
    metadata: { annotations: { "berth.dev/cool-down": "soon" } },
    says: 'has in its annotation berth.dev/cool-down "soon"; write a duration such as 30s, 10m or 1h30m, at most 168h',
  },
  {
    rule: "a flag that is neither true nor false",
    metadata: { annotations: { "berth.dev/cross-namespace-sharing": "yes" } },
    says: 'has in its annotation berth.dev/cross-namespace-sharing "yes"; write "true" or "false"',
  },
];

export const advertisementRejections: readonly (Rejection & { readonly spec: object })[] = [
  {
    rule: "a pool named twice",
    spec: { ipAddressPools: ["a", "b", "a"] },
    says: 'names "a" twice in spec.ipAddressPools; remove one of the two',
  },
  ...["ipAddressPoolSelectors", "nodeSelectors", "serviceSelectors"].flatMap((field) => [
    {
      rule: `a selector twice in ${field}`,
      spec: { [field]: [blue, blue] },
      says: `has the selector "team=blue" twice in spec.${field}; remove one of the two`,
    },
    {
      rule: `a selector twice in ${field}, its values in another order`,
      spec: {
        [field]: [
          ["a", "b"],
          ["b", "a"],
        ].map((values) => expression({ key: "app", operator: "In", values })),
      },
      says: `has the selector "app in (a,b)" twice in spec.${field}; remove one of the two`,
    },
    {
      rule: `an invalid selector in ${field}`,
      spec: { [field]: [expression({ key: "team", operator: "Is" })] },
      says: `has in spec.${field} a selector on "team" with the operator "Is"; write In, NotIn, Exists or DoesNotExist`,
    },
  ]),
  {
    rule: "an invalid preference",
    spec: { preferredNodeSelectors: [{ weight: 1, preference: expression({ operator: "Exists" }) }] },
    says: "has in spec.preferredNodeSelectors a selector without a key; name the label in key",
    schema: "spec.preferredNodeSelectors[0].preference.matchExpressions[0].key: Required value",
  },
  ...[0, 101].map((weight) => ({
    rule: `the weight ${String(weight)}`,
    spec: { preferredNodeSelectors: [{ weight, preference: {} }] },
    says: `has in spec.preferredNodeSelectors the weight ${String(weight)}; write a whole number from 1 to 100`,
    schema: "spec.preferredNodeSelectors[0].weight: Invalid value",
  })),
];
