/** What is admitted with a Warning: what may come later, and faults that are stored already. */
import { describe, expect, it, test } from "vitest";
import type { IPAddressPool, L2Advertisement } from "../../cluster/crd.ts";
import { kinds } from "../../cluster/kinds.ts";
import { advertisement, namespace, node, pool } from "../support/builders.ts";
import { useWorlds, type Seed } from "../support/world.ts";

const worlds = useWorlds();

type PoolSpec = Partial<NonNullable<IPAddressPool["spec"]>>;
type AdvertisementSpec = Partial<NonNullable<L2Advertisement["spec"]>>;

const seed: Seed = {
  pools: [pool("lab/homelab-pool", ["192.168.1.200-192.168.1.220"])],
  nodes: [node("node-1", ["172.30.0.11"]), node("node-2", ["172.30.0.12"])],
  namespaces: [namespace("shop", { team: "blue" })],
};
const blue = { matchLabels: { team: "blue" } };

describe("what may come later is a Warning", () => {
  test.each<{ rule: string; spec: AdvertisementSpec; warnings: readonly string[] }>([
    { rule: "everything is there", spec: { ipAddressPools: ["homelab-pool"] }, warnings: [] },
    {
      rule: "a pool is named that does not exist",
      spec: { ipAddressPools: ["homelab-pool", "later"] },
      warnings: ['names in spec.ipAddressPools "later", which does not exist; create it or correct the name'],
    },
    {
      rule: "selectors choose neither pool nor Node",
      spec: { ipAddressPoolSelectors: [blue], nodeSelectors: [blue] },
      warnings: [
        "announces nothing, since there is no IPAddressPool that it chooses; create one, or correct spec.ipAddressPoolSelectors",
        "announces nothing, since there is no Node that it chooses; label one, or correct spec.nodeSelectors",
      ],
    },
  ])("on an L2Advertisement: $rule", async ({ spec, warnings }) => {
    const world = await worlds.open(seed);
    const outcome = await world.create(kinds.advertisements, advertisement("l2", spec));
    expect(outcome.denied).toBeUndefined();
    expect(outcome.warnings).toEqual(warnings.map((warning) => `L2Advertisement "network/l2" ${warning}`));
  });

  test.each<{ rule: string; allocation: NonNullable<PoolSpec["serviceAllocation"]>; warnings: readonly string[] }>([
    { rule: "everything is there", allocation: { namespaces: ["shop"], namespaceSelectors: [blue] }, warnings: [] },
    {
      rule: "a namespace is named that does not exist",
      allocation: { namespaces: ["shop", "later"] },
      warnings: [
        'names in spec.serviceAllocation.namespaces "later", which does not exist; create it or correct the name',
      ],
    },
    {
      rule: "selectors match no namespace",
      allocation: { namespaceSelectors: [{ matchLabels: { team: "red" } }] },
      warnings: [
        "serves no Service, since its spec.serviceAllocation.namespaceSelectors match no namespace; label a namespace or correct them",
      ],
    },
  ])("on an IPAddressPool: $rule", async ({ allocation, warnings }) => {
    const world = await worlds.open(seed);
    const outcome = await world.create(kinds.pools, pool("lan", ["10.0.0.0/24"], { serviceAllocation: allocation }));
    expect(outcome.denied).toBeUndefined();
    expect(outcome.warnings).toEqual(warnings.map((warning) => `IPAddressPool "network/lan" ${warning}`));
  });

  it("a pool and a namespace that the caches have not heard of yet are there", async () => {
    const deaf = {
      hook:
        () =>
        <T>(call: { readonly verb: string }, run: () => Promise<T>) =>
          call.verb === "watch event" ? new Promise<T>(() => undefined) : run(),
    };
    const world = await worlds.open(seed, deaf);
    await world.create(kinds.namespaces, namespace("new"));
    const fresh = pool("fresh", ["10.0.0.0/24"], { serviceAllocation: { namespaces: ["new"] } });
    expect((await world.create(kinds.pools, fresh)).warnings).toEqual([]);
    const l2 = advertisement("l2", { ipAddressPools: ["fresh"] });
    expect((await world.create(kinds.advertisements, l2)).warnings).toEqual([]);
  });
});

describe("an object that was stored although it breaks a rule", () => {
  const label = { metadata: { labels: { seen: "true" } } };
  const onNodes =
    'IPAddressPool "network/lan" has 172.30.0.11 of Node "node-1" and 172.30.0.12 of Node "node-2"; leave addresses of Nodes out of spec.addresses';

  it.each<{ rule: string; stored: IPAddressPool; warning: string }>([
    { rule: "has addresses of Nodes", stored: pool("lan", ["172.30.0.0/24"]), warning: onNodes },
    {
      rule: "overlaps another",
      stored: pool("lan", ["192.168.1.0/24"]),
      warning:
        'IPAddressPool "network/lan" has 192.168.1.0/24, which overlaps 192.168.1.200-192.168.1.220 of IPAddressPool "lab/homelab-pool"; keep each address in one pool',
    },
    {
      rule: "is malformed",
      stored: pool("lan", ["lan"]),
      warning:
        'IPAddressPool "network/lan" has in spec.addresses "lan", which is no range; write a CIDR such as 192.168.1.0/24 or a range such as 192.168.1.200-192.168.1.220',
    },
  ])("and $rule may be changed otherwise, with a Warning", async ({ stored, warning }) => {
    const world = await worlds.open({ ...seed, pools: [...(seed.pools ?? []), stored] });
    const outcome = await world.change(kinds.pools, "network/lan", label);
    expect(outcome.denied).toBeUndefined();
    expect(outcome.warnings).toEqual([warning]);
  });

  it("is denied other addresses while they break the rule", async () => {
    const world = await worlds.open({ ...seed, pools: [pool("lan", ["172.30.0.0/24"])] });
    const wider = { spec: { addresses: ["172.30.0.0/23"] } };
    expect((await world.change(kinds.pools, "network/lan", wider)).denied).toBe(onNodes);
  });

  it("is denied another fault", async () => {
    const world = await worlds.open({ ...seed, pools: [pool("lan", ["172.30.0.0/24"])] });
    const worse = { metadata: { annotations: { "berth.dev/cool-down": "soon" } } };
    expect((await world.change(kinds.pools, "network/lan", worse)).denied).toContain("berth.dev/cool-down");
  });

  it("may be repaired", async () => {
    const world = await worlds.open({ ...seed, pools: [pool("lan", ["172.30.0.0/24"])] });
    const sound = { spec: { addresses: ["172.30.0.100-172.30.0.120"] } };
    expect(await world.change(kinds.pools, "network/lan", sound)).toMatchObject({ warnings: [] });
  });

  it("may be an advertisement", async () => {
    const twice = advertisement("l2", { ipAddressPools: ["a", "a"] });
    const world = await worlds.open({ ...seed, advertisements: [twice] });
    const outcome = await world.change(kinds.advertisements, "network/l2", label);
    expect(outcome.warnings).toEqual([
      'L2Advertisement "network/l2" names "a" twice in spec.ipAddressPools; remove one of the two',
    ]);
    const worse = await world.change(kinds.advertisements, "network/l2", { spec: { ipAddressPools: ["b", "b"] } });
    expect(worse.denied).toContain('names "b" twice');
  });
});
