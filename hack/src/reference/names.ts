/** What each annotation and label is for: tsc refuses a table that lacks one of core/keys. */
import { keys } from "../../../core/keys.ts";

/** Where a name stands, who writes it, what it may say, and what that does. */
export type Name = {
  readonly on: string;
  readonly by: "you" | "Berth" | "the announcer" | "Kubernetes";
  readonly says: string;
};

type Keys = typeof keys;
/** Every key that is a prefixed name, but for those that are no annotation or label. */
type Prefixed = {
  [K in keyof Keys]: Keys[K] extends `${string}/${string}` ? K : never;
}[keyof Keys];
type Condition = "addressAssigned" | "announced" | "ready";
type Named = Exclude<Prefixed, Condition | "loadBalancerClass" | "deprecatedPrefix"> | "leaseApp";

const old = (name: string): Name => ({ on: "Service", by: "you", says: `the old name of \`${name}\`, which wins` });

/** In the order of the page. */
export const names: Readonly<Record<Named, Name>> = {
  pinNew: {
    on: "Service",
    by: "you",
    says: "the addresses that it asks for, separated by commas; [addresses.md](addresses.md)",
  },
  pinOld: old(keys.pinNew),
  poolNew: { on: "Service", by: "you", says: "the pool that it asks for: its name, or `namespace/name`" },
  poolOld: old(keys.poolNew),
  shareNew: { on: "Service", by: "you", says: "the key under which it shares its address with others" },
  shareOld: old(keys.shareNew),
  addresses: {
    on: "Service",
    by: "Berth",
    says: "the addresses that it has, separated by commas; what anybody else writes here is put right or refused",
  },
  fromPool: { on: "Service", by: "Berth", says: "the name of the pool that its addresses are of (MetalLB's)" },
  poolCoolDown: {
    on: "IPAddressPool",
    by: "you",
    says: "how long an address that was given up rests before another Service gets it, such as `30s` or `10m`; `0s` unless given",
  },
  poolCrossNamespaceSharing: {
    on: "IPAddressPool",
    by: "you",
    says: '`"true"`: Services of different namespaces may share its addresses',
  },
  poolAllowRenumbering: {
    on: "IPAddressPool",
    by: "you",
    says: '`"true"`: a change of the pool may take addresses from Services, which get others',
  },
  rebalance: {
    on: "IPAddressPool",
    by: "you",
    says: "each new value moves its addresses to the nodes that would have them if they were new",
  },
  claimManagedBy: { on: "IPAddress", by: "Berth", says: `\`${keys.claimManager}\` on the claims that are Berth's` },
  claimFamily: { on: "IPAddress", by: "Berth", says: "`IPv4` or `IPv6`" },
  claimPool: { on: "IPAddress", by: "Berth", says: "the name of the pool" },
  claimPoolNamespace: { on: "IPAddress", by: "Berth", says: "the namespace of the pool" },
  claimShareable: { on: "IPAddress", by: "Berth", says: '`"true"` once the address may be shared' },
  claimSharers: { on: "IPAddress", by: "Berth", says: "the Services that share the address, and on which terms" },
  claimRenewals: { on: "IPAddress", by: "Berth", says: "how often the claim was taken up again" },
  claimRestingSince: { on: "IPAddress", by: "Berth", says: "since when it rests for its pool's cool-down, RFC 3339" },
  claimAdopted: {
    on: "IPAddress",
    by: "Berth",
    says: "`true` where the Service had the address before Berth, and no pool has it",
  },
  leaseManagedBy: { on: "Lease", by: "Berth", says: `\`${keys.leaseManager}\`` },
  leaseApp: { on: "Lease", by: "Berth", says: `\`${keys.leaseAppName}\`` },
  leaseNode: { on: "Lease", by: "Berth", says: "the node whose plan it carries" },
  leaseShard: { on: "Lease", by: "Berth", says: "on the further Leases of a long plan: which it is, from 1" },
  plan: {
    on: "Lease",
    by: "Berth",
    says: "what the node is to announce; [announcer-protocol.md](announcer-protocol.md)",
  },
  status: { on: "Lease", by: "the announcer", says: "what the node answers for" },
  l2StatusNode: { on: "ServiceL2Status", by: "Berth", says: "the node that announces (MetalLB's)" },
  l2StatusService: { on: "ServiceL2Status", by: "Berth", says: "the name of the Service (MetalLB's)" },
  l2StatusNamespace: { on: "ServiceL2Status", by: "Berth", says: "the namespace of the Service (MetalLB's)" },
  excludeNode: { on: "Node", by: "you", says: "whatever its value: the node announces nothing" },
};
