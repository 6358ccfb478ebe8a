/** What stands in each node's Lease, and which advertisements are denied. */
import { describe, expect, it, test } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { leaseName } from "../../cluster/leases.ts";
import { parsePlan } from "../../core/announce/plan-text.ts";
import { keys } from "../../core/keys.ts";
import { valueOf } from "../core/builders.ts";
import { advertisement, claim, endpointSlice, lease, node, pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds, type Seed, type World } from "../support/world.ts";

const worlds = useWorlds();

const seed: Seed = {
  pools: [pool("homelab-pool", ["192.168.1.200-192.168.1.220"])],
  advertisements: [advertisement("homelab-l2")],
  services: [service("default/web", { addresses: "192.168.1.200" })],
  claims: [claim("192.168.1.200", "default/web")],
  endpointSlices: [endpointSlice("default/web", "node-1")],
  nodes: [node("node-1"), node("node-2")],
  leases: [lease("node-1"), lease("node-2")],
};

const leaseOf = (world: World, name: string) =>
  world.store.get(kinds.leases, { namespace: keys.namespace, name: leaseName({ node: name, shard: 0 }) });

/** The generation of a node's plan, and its addresses with their candidates. */
function planOf(world: World, name: string): string {
  const { generation, vips } = valueOf(parsePlan(leaseOf(world, name)?.metadata?.annotations?.[keys.plan] ?? ""));
  return [String(generation), ...vips.map(({ ip, nodes }) => `${ip} ${nodes.join(",")}`)].join(": ");
}

describe("the plan", () => {
  it("stands in the Lease of each node that may answer", async () => {
    const world = await worlds.open(seed);
    const plan = planOf(world, "node-1");
    expect(plan).toMatch(/^1: 192\.168\.1\.200 node-[12],node-[12]$/);
    expect(planOf(world, "node-2")).toBe(plan);
    expect(leaseOf(world, "node-1")?.spec?.holderIdentity).toBe("announcer-node-1");
  });

  it("is not written again while nothing changes", async () => {
    const world = await worlds.open(seed);
    await pass(1_000);
    const before = world.store.resourceVersion;
    world.store.bookmark(kinds.nodes);
    await world.watcher.parts[2]?.lead(new AbortController().signal);
    await pass(1_000);
    expect(Number(world.store.resourceVersion)).toBe(Number(before) + 1);
  });

  it("is not made anew by the renewals of the Leases", async () => {
    const world = await worlds.open(seed);
    const spec = { renewTime: "2026-01-01T12:00:10.000000Z" };
    const key = { namespace: keys.namespace, name: leaseName({ node: "node-1", shard: 0 }) };
    const before = planOf(world, "node-1");
    world.store.edit(kinds.leases, key, { spec });
    await pass(1_000);
    expect(planOf(world, "node-1")).toBe(before);
  });

  it("has a new generation where it changes, and only there", async () => {
    const world = await worlds.open({
      ...seed,
      nodes: [node("node-1"), node("node-2"), node("node-3", [], { [keys.excludeNode]: "" })],
    });
    expect(planOf(world, "node-3")).toBe("1");
    await world.create(kinds.services, service("default/dns"));
    world.store.seed(kinds.endpointSlices, endpointSlice("default/dns", "node-1"));
    await pass(100);
    expect(planOf(world, "node-1")).toMatch(/^2: 192\.168\.1\.200 .*: 192\.168\.1\.201 /);
    expect(planOf(world, "node-3")).toBe("1");
  });

  it("keeps the node that answers first while it may, also when an earlier one comes back", async () => {
    const world = await worlds.open(seed);
    const [first = "", second = ""] = planOf(world, "node-1").split(" ")[2]?.split(",") ?? [];
    const label = (value: string | null): object => ({ metadata: { labels: { [keys.excludeNode]: value } } });
    world.store.edit(kinds.nodes, { name: first }, label(""));
    await pass(100);
    expect(planOf(world, second)).toBe(`2: 192.168.1.200 ${second}`);
    world.store.edit(kinds.nodes, { name: first }, label(null));
    await pass(100);
    expect(planOf(world, second)).toBe(`3: 192.168.1.200 ${second},${first}`);
  });

  it("loses an address with its Service", async () => {
    const world = await worlds.open(seed);
    await world.delete(kinds.services, "default/web");
    await pass(100);
    expect(planOf(world, "node-1")).toBe("2");
  });

  it("does not name an address that has no ready endpoint", async () => {
    const world = await worlds.open({ ...seed, endpointSlices: [] });
    expect(planOf(world, "node-1")).toBe("1");
  });

  it("that somebody spoilt is made anew", async () => {
    const world = await worlds.open(seed);
    const before = planOf(world, "node-1");
    const key = { namespace: keys.namespace, name: leaseName({ node: "node-1", shard: 0 }) };
    world.store.edit(kinds.leases, key, { metadata: { annotations: { [keys.plan]: "{}" } } });
    await pass(100);
    expect(planOf(world, "node-1")).toBe(before);
  });

  it("goes with its node", async () => {
    const world = await worlds.open(seed);
    world.store.delete(kinds.nodes, { name: "node-2" });
    await pass(100);
    expect(leaseOf(world, "node-2")).toBeUndefined();
    expect(planOf(world, "node-1")).toBe("2: 192.168.1.200 node-1");
  });

  it("leaves the Leases of others alone", async () => {
    const world = await worlds.open(seed);
    const foreign = { metadata: { namespace: keys.namespace, name: "speaker" }, spec: {} };
    world.store.seed(kinds.leases, foreign);
    await pass(1_000);
    expect(world.store.get(kinds.leases, { namespace: keys.namespace, name: "speaker" })).toBeDefined();
  });
});

describe("an advertisement that is wrong whatever else there is is denied in one sentence", () => {
  const weighty = (weight: number) => ({ preferredNodeSelectors: [{ weight, preference: {} }] });
  test.each([
    {
      case: "weight",
      spec: weighty(0),
      says: "has in spec.preferredNodeSelectors the weight 0; write a whole number from 1 to 100",
    },
    {
      case: "name twice",
      spec: { ipAddressPools: ["a", "a"] },
      says: 'names "a" twice in spec.ipAddressPools; remove one of the two',
    },
    {
      case: "operator",
      spec: { nodeSelectors: [{ matchExpressions: [{ key: "a", operator: "Is" }] }] },
      says: 'has in spec.nodeSelectors a selector on "a" with the operator "Is"; write In, NotIn, Exists or DoesNotExist',
    },
  ])("$case", async ({ spec, says }) => {
    const world = await worlds.open({});
    const { denied } = await world.create(kinds.advertisements, advertisement("l2", spec));
    expect(denied).toBe(`L2Advertisement "network/l2" ${says}`);
  });

  it("but one of pools and nodes that are not there yet is admitted", async () => {
    const world = await worlds.open({});
    const { denied } = await world.create(kinds.advertisements, advertisement("l2", { ipAddressPools: ["later"] }));
    expect(denied).toBeUndefined();
  });
});
