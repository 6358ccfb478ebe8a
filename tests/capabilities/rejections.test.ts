/** Everything that a pool or an advertisement is denied for, each by its rule. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { IPAddressPool, L2Advertisement } from "../../cluster/crd.ts";
import { kinds, type Metadata } from "../../cluster/kinds.ts";
import { advertisement, namespace, node, pool, serviceCIDR } from "../support/builders.ts";
import { pauseTime, resumeTime } from "../support/paused-time.ts";
import { Worlds, type Seed } from "../support/world.ts";

const worlds = new Worlds();
beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  worlds.close();
  resumeTime();
});

type PoolSpec = Partial<NonNullable<IPAddressPool["spec"]>>;
type AdvertisementSpec = Partial<NonNullable<L2Advertisement["spec"]>>;

const seed: Seed = {
  pools: [pool("lab/homelab-pool", ["192.168.1.200-192.168.1.220"])],
  nodes: [node("node-1", ["172.30.0.11", "fd00::11"]), node("node-2", ["172.30.0.12"])],
  serviceCIDRs: [serviceCIDR("10.96.0.0/16", "fd00:96::/112")],
  namespaces: [namespace("shop", { team: "blue" })],
};
const blue = { matchLabels: { team: "blue" } };
const expression = (...parts: readonly Readonly<Record<string, unknown>>[]): object => ({ matchExpressions: parts });
const selecting = (selector: object): PoolSpec => ({
  serviceAllocation: { namespaceSelectors: [selector as typeof blue] },
});

describe("an IPAddressPool is denied for", () => {
  test.each<{ rule: string; addresses?: readonly string[]; spec?: PoolSpec; metadata?: Metadata; says: string }>([
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
      addresses: ["192.168.1.0/24"],
      says: 'has 192.168.1.0/24, which overlaps 192.168.1.200-192.168.1.220 of IPAddressPool "lab/homelab-pool"; keep each address in one pool',
    },
    {
      rule: "addresses of Nodes",
      addresses: ["fd00::/64", "172.30.0.0/24"],
      says: 'has 172.30.0.11 of Node "node-1", 172.30.0.12 of Node "node-2" and fd00::11 of Node "node-1"; leave addresses of Nodes out of spec.addresses',
    },
    {
      rule: "an overlap with a ServiceCIDR",
      addresses: ["fd00:96::100-fd00:96::200"],
      says: 'has fd00:96::100-fd00:96::200, which overlaps fd00:96::/112 of ServiceCIDR "kubernetes", where ClusterIPs come from; use addresses outside it',
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
    },
    {
      rule: "a selector without an operator",
      spec: selecting(expression({ key: "team" })),
      says: 'has in spec.serviceAllocation.namespaceSelectors a selector on "team" without an operator; write In, NotIn, Exists or DoesNotExist',
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
  ])("$rule", async ({ addresses = ["10.0.0.0/24"], spec, metadata, says }) => {
    const world = await worlds.open(seed);
    const { denied } = await world.create(kinds.pools, pool("lan", addresses, spec, metadata));
    expect(denied).toBe(`IPAddressPool "network/lan" ${says}`);
    expect(world.store.all(kinds.pools)).toHaveLength(1);
  });
});

describe("an L2Advertisement is denied for", () => {
  test.each<{ rule: string; spec: object; says: string }>([
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
        rule: `an invalid selector in ${field}`,
        spec: { [field]: [expression({ key: "team", operator: "Is" })] },
        says: `has in spec.${field} a selector on "team" with the operator "Is"; write In, NotIn, Exists or DoesNotExist`,
      },
    ]),
    {
      rule: "an invalid preference",
      spec: { preferredNodeSelectors: [{ weight: 1, preference: expression({ operator: "Exists" }) }] },
      says: "has in spec.preferredNodeSelectors a selector without a key; name the label in key",
    },
    ...[0, 101].map((weight) => ({
      rule: `the weight ${String(weight)}`,
      spec: { preferredNodeSelectors: [{ weight, preference: {} }] },
      says: `has in spec.preferredNodeSelectors the weight ${String(weight)}; write a whole number from 1 to 100`,
    })),
  ])("$rule", async ({ spec, says }) => {
    const world = await worlds.open(seed);
    const { denied } = await world.create(kinds.advertisements, advertisement("l2", spec as AdvertisementSpec));
    expect(denied).toBe(`L2Advertisement "network/l2" ${says}`);
    expect(world.store.all(kinds.advertisements)).toHaveLength(0);
  });
});
