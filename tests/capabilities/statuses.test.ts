/** What stands in the status of pools and advertisements, how soon, and how often it is written. */
import { describe, expect, it } from "vitest";
import { readyCondition } from "../../cluster/condition.ts";
import { kinds, parseKey } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { advertisement, claim, namespace, node, pool, service } from "../support/builders.ts";
import type { Hook, MemoryCall } from "../support/memory-api.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds, type Seed, type World } from "../support/world.ts";

const worlds = useWorlds();

const lan = pool("lan", ["10.0.0.0/29"]);
const held: Seed = {
  pools: [lan],
  services: [service("default/web", { addresses: "10.0.0.1" })],
  claims: [claim("10.0.0.1", "default/web")],
};

/** assigned/available of both families. */
function countsOf(world: World, key = "network/lan"): string {
  const { status } = world.store.get(kinds.pools, parseKey(key)) ?? {};
  if (status === undefined) return "none";
  const { assignedIPv4, availableIPv4, assignedIPv6, availableIPv6 } = status;
  return `${String(assignedIPv4)}/${String(availableIPv4)} ${String(assignedIPv6)}/${String(availableIPv6)}`;
}

/** Status, reason and message of the condition berth.dev/Ready. */
function conditionOf(world: World, kind: typeof kinds.pools | typeof kinds.advertisements, key: string): string {
  const found = readyCondition(world.store.get<object>(kind, parseKey(key)) ?? {});
  return found === undefined ? "none" : `${found.status} ${found.reason}: ${found.message}`;
}

/** Notes the writes of status that a process makes. */
const recording = (calls: MemoryCall[]): { hook: (process: string) => Hook } => ({
  hook: (process) => (call, run) => {
    if (process === "watcher" && call.verb === "apply" && call.plural === "ipaddresspools") calls.push(call);
    return run();
  },
});

describe("the counters of a pool", () => {
  it("tell soon after the start what is held and what is free", async () => {
    const world = await worlds.open({ ...held, pools: [lan, pool("six", ["fd00::/64"])] });
    await pass(200);
    expect(countsOf(world)).toBe("1/7 0/0");
    expect(countsOf(world, "network/six")).toBe(`0/0 0/${String(2 ** 63)}`);
  });

  it("follow within a second what is given and what is released", async () => {
    const world = await worlds.open(held);
    await pass(1_000);
    await world.create(kinds.services, service("default/db"));
    await pass(1_000);
    expect(countsOf(world)).toBe("2/6 0/0");
    await world.delete(kinds.services, "default/db");
    await pass(4_000);
    expect(countsOf(world)).toBe("1/7 0/0");
  });

  it("count an address that several share once", async () => {
    const world = await worlds.open(held);
    for (const [name, port] of [["a", 53] as const, ["b", 80] as const, ["c", 443] as const]) {
      const shares = { annotations: { [keys.shareNew]: "k" }, spec: { ports: [{ port }] } };
      await world.create(kinds.services, service(`default/${name}`, shares));
    }
    await pass(1_000);
    expect(countsOf(world)).toBe("2/6 0/0");
    await world.delete(kinds.services, "default/a");
    await pass(4_000);
    expect(countsOf(world)).toBe("2/6 0/0");
  });

  it("leave out addresses of Nodes, of ClusterIPs and those reserved by hand", async () => {
    const world = await worlds.open({
      ...held,
      nodes: [node("node-1", ["10.0.0.2"])],
      claims: [
        ...(held.claims ?? []),
        claim("10.0.0.3", "default/web", "ipallocator.k8s.io"),
        claim("10.0.0.4", "office/printer", "me"),
      ],
    });
    await pass(200);
    expect(countsOf(world)).toBe("1/4 0/0");
  });

  it("leave out what avoidBuggyIPs keeps back", async () => {
    const world = await worlds.open({ pools: [pool("lan", ["10.0.0.0/24"], { avoidBuggyIPs: true })] });
    await pass(200);
    expect(countsOf(world)).toBe("0/254 0/0");
  });

  it("are put back when somebody edits them", async () => {
    const world = await worlds.open(held);
    await pass(1_000);
    const wrong = { assignedIPv4: 99, availableIPv4: 0, assignedIPv6: 5, availableIPv6: 5 };
    world.store.edit(kinds.pools, parseKey("network/lan"), { status: wrong });
    await pass(700);
    expect(countsOf(world)).toBe("1/7 0/0");
  });

  it("are put back ever more seldom while another controller overwrites them", async () => {
    const calls: MemoryCall[] = [];
    const world = await worlds.open(held, recording(calls));
    await pass(1_000);
    const before = calls.length;
    for (let round = 0; round < 600; round++) {
      world.store.edit(kinds.pools, parseKey("network/lan"), { status: { assignedIPv4: 99 } });
      await pass(100);
    }
    expect(calls.length - before).toBeGreaterThan(3);
    expect(calls.length - before).toBeLessThan(10);
    await pass(70_000);
    expect(countsOf(world)).toBe("1/7 0/0");
  });

  it("are written at most twice a second while a hundred Services come, and are right in the end", async () => {
    const calls: MemoryCall[] = [];
    const world = await worlds.open({ pools: [pool("lan", ["10.0.0.0/20"])] }, recording(calls));
    await pass(1_000);
    const before = calls.length;
    for (let index = 0; index < 100; index++) {
      await world.create(kinds.services, service(`default/web-${String(index)}`));
      await pass(30);
    }
    await pass(1_000);
    expect(calls.length - before).toBeLessThanOrEqual(8);
    expect(countsOf(world)).toBe("100/3996 0/0");
  });

  it("are written once and not again while nothing changes", async () => {
    const calls: MemoryCall[] = [];
    await worlds.open({ ...held, nodes: [node("node-1")] }, recording(calls));
    await pass(60_000);
    expect(calls).toHaveLength(1);
  });

  it("are written again after the API server refused", async () => {
    const cell = { refuses: true };
    const world = await worlds.open(held, {
      hook: () => (call, run) => (cell.refuses && call.verb === "apply" ? Promise.reject(new Error("not now")) : run()),
    });
    await pass(1_000);
    expect(countsOf(world)).toBe("none");
    cell.refuses = false;
    await pass(6_000);
    expect(countsOf(world)).toBe("1/7 0/0");
  });
});

describe("the condition of a pool", () => {
  const readyIs = 'True Usable: IPAddressPool "network/lan" gives addresses to Services';
  const elder = pool("elder", ["10.0.0.4-10.0.0.20"], {}, { creationTimestamp: "2025-01-01T00:00:00Z" });
  const overlaps =
    'IPAddressPool "network/lan" has 10.0.0.0/29, which overlaps 10.0.0.4-10.0.0.20 of IPAddressPool "network/elder"; keep each address in one pool';

  it("is True while it gives addresses, without an Event", async () => {
    const world = await worlds.open(held);
    await pass(1_000);
    expect(conditionOf(world, kinds.pools, "network/lan")).toBe(readyIs);
    expect(world.events("network/lan")).toEqual([]);
  });

  it("is False on the younger of two that overlap, with all counters zero and one Event", async () => {
    const world = await worlds.open({ pools: [lan, elder] });
    await pass(60_000);
    expect(conditionOf(world, kinds.pools, "network/lan")).toBe(`False Overlaps: ${overlaps}`);
    expect(countsOf(world)).toBe("0/0 0/0");
    expect(world.events("network/lan")).toEqual([`PoolInert: ${overlaps}`]);
    expect(countsOf(world, "network/elder")).toBe("0/17 0/0");
    expect(world.events("network/elder")).toEqual([]);
  });

  it("becomes True with an Event when the older one goes", async () => {
    const world = await worlds.open({ pools: [lan, elder] });
    await pass(1_000);
    await world.delete(kinds.pools, "network/elder");
    await pass(1_500);
    expect(conditionOf(world, kinds.pools, "network/lan")).toBe(readyIs);
    expect(world.events("network/lan").at(-1)).toBe(
      'PoolUsable: IPAddressPool "network/lan" gives addresses to Services',
    );
  });

  it("is False on a malformed pool", async () => {
    const world = await worlds.open({ pools: [pool("lan", ["nonsense"])] });
    await pass(1_000);
    expect(conditionOf(world, kinds.pools, "network/lan")).toMatch(/^False Malformed: .*"nonsense", which is no range/);
    expect(world.events("network/lan")).toHaveLength(1);
  });

  it("is told once, however often the watcher starts", async () => {
    const world = await worlds.open({ pools: [lan, elder] });
    await pass(1_000);
    const again = await worlds.open({
      pools: world.store.all(kinds.pools),
      events: world.store.all(kinds.events),
    });
    await pass(10_000);
    expect(again.events("network/lan")).toHaveLength(1);
  });

  it("names a Node that came into the pool later, and nothing stops", async () => {
    const world = await worlds.open(held);
    await pass(1_000);
    world.store.seed(kinds.nodes, node("node-9", ["10.0.0.6"]));
    await pass(1_000);
    const says =
      'IPAddressPool "network/lan" has 10.0.0.6 of Node "node-9"; leave addresses of Nodes out of spec.addresses';
    expect(conditionOf(world, kinds.pools, "network/lan")).toBe(`True ContainsNodeAddresses: ${says}`);
    expect(world.events("network/lan")).toEqual([`ContainsNodeAddresses: ${says}`]);
    expect(countsOf(world)).toBe("1/6 0/0");
    expect((await world.create(kinds.services, service("default/db"))).denied).toBeUndefined();
    expect(world.annotationOf("default/db")).toBe("10.0.0.0");
  });

  it("names a namespace that does not exist until it does", async () => {
    const world = await worlds.open({
      pools: [pool("lan", ["10.0.0.0/29"], { serviceAllocation: { namespaces: ["shop"] } })],
    });
    await pass(200);
    expect(conditionOf(world, kinds.pools, "network/lan")).toMatch(/^True MissingNamespaces: .*"shop"/);
    world.store.seed(kinds.namespaces, namespace("shop"));
    await pass(1_000);
    expect(conditionOf(world, kinds.pools, "network/lan")).toBe(readyIs);
  });

  it("keeps its time while it only changes its reason", async () => {
    const world = await worlds.open(held);
    await pass(200);
    const timeOf = () =>
      readyCondition(world.store.get<object>(kinds.pools, parseKey("network/lan")) ?? {})?.lastTransitionTime;
    const began = timeOf();
    await pass(5_000);
    world.store.seed(kinds.nodes, node("node-9", ["10.0.0.6"]));
    await pass(1_000);
    expect(conditionOf(world, kinds.pools, "network/lan")).toMatch(/^True ContainsNodeAddresses/);
    expect(timeOf()).toBe(began);
  });
});

describe("the condition of an advertisement", () => {
  const l2 = "network/l2";

  it("is False while a pool that it names is missing, without an Event, and True once it is there", async () => {
    const world = await worlds.open({
      advertisements: [advertisement("l2", { ipAddressPools: ["lan"] })],
      nodes: [node("a")],
    });
    await pass(1_000);
    expect(conditionOf(world, kinds.advertisements, l2)).toBe(
      'False MissingPools: L2Advertisement "network/l2" names in spec.ipAddressPools "lan", which does not exist; create it or correct the name',
    );
    await world.create(kinds.pools, lan);
    await pass(1_000);
    expect(conditionOf(world, kinds.advertisements, l2)).toBe(
      'True Usable: L2Advertisement "network/l2" announces addresses of its pools',
    );
    expect(world.events(l2)).toEqual([]);
  });

  it("is False on one that is malformed, with an Event", async () => {
    const world = await worlds.open({
      ...held,
      advertisements: [advertisement("l2", { ipAddressPools: ["lan", "lan"] })],
    });
    await pass(10_000);
    const says = 'L2Advertisement "network/l2" names "lan" twice in spec.ipAddressPools; remove one of the two';
    expect(conditionOf(world, kinds.advertisements, l2)).toBe(`False Malformed: ${says}`);
    expect(world.events(l2)).toEqual([`AdvertisementInert: ${says}`]);
  });

  it("follows the labels of Nodes", async () => {
    const zone = { matchLabels: { zone: "a" } };
    const world = await worlds.open({
      ...held,
      nodes: [node("node-1")],
      advertisements: [advertisement("l2", { nodeSelectors: [zone] })],
    });
    await pass(1_000);
    expect(conditionOf(world, kinds.advertisements, l2)).toMatch(/^False NoNode/);
    world.store.edit(kinds.nodes, { name: "node-1" }, { metadata: { labels: { zone: "a" } } });
    await pass(1_000);
    expect(conditionOf(world, kinds.advertisements, l2)).toMatch(/^True Usable/);
  });
});
