/** What the watcher makes of the plan and of what announcers report: Leases, ServiceL2Status, Events, the condition. */
import { describe, expect, it, vi } from "vitest";
import type { Hook, MemoryCall } from "../support/memory-api.ts";
import { kinds, metadataOf } from "../../cluster/kinds.ts";
import { generationOf, parsePlan } from "../../core/announce/plan-text.ts";
import { keys } from "../../core/keys.ts";
import { valueOf } from "../core/builders.ts";
import { advertisement, claim, endpointSlice, lease, node, pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { World, useWorlds, type Seed } from "../support/world.ts";
import { assigned, keyOf, managed, other, report, seed, statuses } from "./announcing.ts";

const worlds = useWorlds();

/** So many addresses, and nodes with names so long, that each node needs two Leases. */
const longCount = 700;
const longNames = ["a", "b"].map((letter) => letter.repeat(60));
const longIps = Array.from({ length: longCount }, (_, index) => `10.0.${String(index >> 8)}.${String(index & 255)}`);
const long: Seed = {
  ...seed,
  services: longIps.map((ip, index) => service(`default/s${String(index)}`, { addresses: ip })),
  claims: longIps.map((ip, index) => claim(ip, `default/s${String(index)}`)),
  endpointSlices: longIps.map((_, index) => endpointSlice(`default/s${String(index)}`, "anywhere")),
  nodes: longNames.map((name) => node(name)),
  leases: longNames.map((name) => lease(name, managed)),
};

const textOf = (world: World, name: string, shard = 0) =>
  world.store.get(kinds.leases, keyOf(name, shard))?.metadata?.annotations?.[keys.plan] ?? "";
const firstOf = (world: World, name: string) => valueOf(parsePlan(textOf(world, name))).vips[0]?.nodes[0];

it.each([
  { fault: "another entry that can't be read", addresses: ["10.0.0.0/16", "nonsense"] },
  { fault: "an entry that can't be read any more", addresses: ["10.0.0.0/160"] },
])("what a pool gave is announced as ever when it comes to have $fault", async ({ addresses }) => {
  const spec = { addresses };
  const ofPool = [advertisement("homelab-l2", { ipAddressPools: ["homelab-pool"] })];
  const world = await worlds.open({ ...seed, claims: [], advertisements: ofPool });
  const before = textOf(world, "node-1");
  expect(firstOf(world, "node-1")).toBeDefined();
  world.store.edit(kinds.pools, { namespace: "network", name: "homelab-pool" }, { spec });
  await pass(10_000);
  expect(world.conditionOf("default/web")).toMatch(/^True PoolInert/);
  expect(textOf(world, "node-1")).toBe(before);
});

describe("a node that reports that it answers", () => {
  it("stands first in the plan from then on", async () => {
    const world = await worlds.open(seed);
    const taking = other(firstOf(world, "node-1"));
    report(world, taking, "10.0.0.1");
    await pass(100);
    expect(firstOf(world, "node-1")).toBe(taking);
    expect(firstOf(world, "node-2")).toBe(taking);
  });

  it("is in a ServiceL2Status as MetalLB's, in one Event, and in the condition", async () => {
    const world = await worlds.open(seed);
    const conditions: (string | undefined)[] = [];
    world.watcher.cluster.announced.subscribe((key) => {
      conditions.push(world.watcher.cluster.announced.get(key)?.reason);
    }, new AbortController().signal);
    await pass(1_000);
    expect(statuses(world)).toEqual([]);
    report(world, "node-1", "10.0.0.1");
    await pass(1_000);
    expect(statuses(world)).toMatchObject([
      {
        metadata: {
          namespace: "metallb-system",
          labels: {
            "metallb.io/node": "node-1",
            "metallb.io/service-name": "web",
            "metallb.io/service-namespace": "default",
          },
        },
        status: { node: "node-1", serviceName: "web", serviceNamespace: "default", interfaces: [{ name: "lan0" }] },
      },
    ]);
    expect(assigned(world)).toEqual(['nodeAssigned: announcing from node "node-1" with protocol "layer2"']);
    expect(conditions).toEqual(["WaitingForAnnouncer", "Announced"]);
    expect(world.watcher.cluster.announced.get("default/web")?.status).toBe("True");
    const before = world.store.resourceVersion;
    world.store.edit(kinds.leases, keyOf("node-1"), { spec: { renewTime: "2026-01-01T12:00:10.000000Z" } });
    await pass(1_000);
    expect(Number(world.store.resourceVersion)).toBe(Number(before) + 1);
  });

  it("takes the place of the other one in all of these, told of once", async () => {
    const world = await worlds.open(seed);
    report(world, "node-1", "10.0.0.1");
    await pass(1_000);
    report(world, "node-1");
    report(world, "node-2", "10.0.0.1");
    await pass(1_000);
    expect(statuses(world).map(({ status }) => status?.node)).toEqual(["node-2"]);
    expect(assigned(world)).toHaveLength(2);
    expect(world.watcher.cluster.announced.get("default/web")?.message).toBe(
      'Node "node-2" announces 10.0.0.1 on lan0',
    );
  });

  it("is forgotten with its Service", async () => {
    const world = await worlds.open(seed);
    report(world, "node-1", "10.0.0.1");
    await pass(1_000);
    await world.delete(kinds.services, "default/web");
    await pass(1_000);
    expect(statuses(world)).toEqual([]);
    expect(world.watcher.cluster.announced.get("default/web")).toBeUndefined();
  });
});

it("what is left of Services that went while no watcher was there is taken away, and no Event is repeated", async () => {
  const first = await worlds.open(seed);
  report(first, "node-1", "10.0.0.1");
  await pass(1_000);
  const [left] = statuses(first);
  const labels = { ...metadataOf(left!).labels, [keys.l2StatusService]: "gone" };
  const gone = { ...left!, metadata: { namespace: keys.namespace, name: "l2-gone", labels } };
  const leases = first.store.all(kinds.leases);
  const again = await worlds.open({ ...seed, leases, l2Statuses: [left!, gone] });
  await pass(1_000);
  expect(statuses(again).map((object) => metadataOf(object).name)).toEqual([metadataOf(left!).name]);
  expect(assigned(again)).toEqual([]);
});

describe("a ServiceL2Status", () => {
  const opened = async () => {
    const world = await worlds.open(seed);
    report(world, "node-1", "10.0.0.1");
    await pass(1_000);
    const [status] = statuses(world);
    return { world, key: { namespace: keys.namespace, name: metadataOf(status!).name } };
  };

  it("that somebody deletes is made again, without an Event", async () => {
    const { world, key } = await opened();
    world.store.delete(kinds.l2Statuses, key);
    await pass(2_000);
    expect(statuses(world)).toEqual([]);
    await pass(5_000);
    expect(statuses(world).map(({ status }) => status?.node)).toEqual(["node-1"]);
    expect(assigned(world)).toHaveLength(1);
  });

  it("that MetalLB's speaker took for its own is made again when it goes with the speaker", async () => {
    const { world, key } = await opened();
    const labels = { "app.kubernetes.io/managed-by": null };
    world.store.edit(kinds.l2Statuses, key, { metadata: { labels } });
    await pass(6_000);
    world.store.delete(kinds.l2Statuses, key);
    await pass(6_000);
    expect(statuses(world).map(({ status }) => status?.node)).toEqual(["node-1"]);
  });

  it("stays away once the node no longer answers", async () => {
    const { world } = await opened();
    report(world, "node-1");
    await pass(10_000);
    expect(statuses(world)).toEqual([]);
  });
});

describe("the Leases", () => {
  it("of a cluster that never had a plan wait for the announcers of all nodes that are ready", async () => {
    const world = await worlds.open({ ...seed, leases: [] });
    const announcer = (name: string) => {
      world.store.seed(kinds.leases, { ...lease(name), metadata: { ...keyOf(name) } });
    };
    announcer("node-1");
    await pass(1_000);
    expect(textOf(world, "node-1")).toBe("");
    announcer("node-2");
    await pass(1_000);
    expect(generationOf(textOf(world, "node-1"))).toBe(1);
  });

  it("of such a cluster do not wait for ever", async () => {
    const world = await worlds.open({ ...seed, leases: [] });
    await pass(9_000);
    expect(textOf(world, "node-1")).toBe("");
    await pass(2_000);
    expect(generationOf(textOf(world, "node-1"))).toBe(1);
  });

  it("are several where the plan is long, of one generation, and one again where it is short", async () => {
    const world = await worlds.open(long);
    const [name = ""] = longNames;
    await pass(1_000);
    const plans = [0, 1].map((shard) => valueOf(parsePlan(textOf(world, name, shard))));
    expect(plans[0]?.shards).toBe(2);
    expect(plans.flatMap(({ vips }) => vips)).toHaveLength(longCount);
    expect(plans[1]?.generation).toBe(plans[0]?.generation);
    world.store.delete(kinds.advertisements, { namespace: "network", name: "homelab-l2" });
    await pass(1_000);
    expect(world.store.get(kinds.leases, keyOf(name, 1))).toBeUndefined();
    expect(valueOf(parsePlan(textOf(world, name)))).toMatchObject({ vips: [], shards: undefined });
  });

  it("of a long plan stay as they are when another watcher leads, though the pool was rebalanced once", async () => {
    const annotations = { [keys.rebalance]: "2026-01-01" };
    const pools = [pool("homelab-pool", ["10.0.0.0/16"], {}, { annotations })];
    const world = await worlds.open({ ...long, pools });
    const [name = ""] = longNames;
    await pass(1_000);
    for (const status of ["False", "True"]) {
      world.store.edit(kinds.nodes, { name }, { status: { conditions: [{ type: "Ready", status }] } });
      await pass(1_000);
    }
    const texts = () => longNames.flatMap((one) => [0, 1].map((shard) => textOf(world, one, shard)));
    const before = texts();
    const vips = before.flatMap((text) => valueOf(parsePlan(text)).vips);
    expect(vips.filter(({ nodes }) => nodes[0] === name)).toEqual([]);
    world.endWatcher();
    const end = new AbortController();
    await world.startWatcher(end.signal);
    await pass(1_000);
    end.abort();
    expect(texts()).toEqual(before);
  });

  it("are written a few times a second, however many Services come", async () => {
    const writes: string[] = [];
    const hook =
      (process: string) =>
      async <T>(call: MemoryCall, run: () => Promise<T>) => {
        if (process === "watcher" && call.verb === "apply" && call.plural === "leases") writes.push(call.key);
        return run();
      };
    const world = await worlds.open(seed, { hook });
    writes.length = 0;
    for (let index = 0; index < 60; index += 1) {
      world.store.seed(kinds.endpointSlices, endpointSlice(`default/s${String(index)}`, "node-1"));
      world.store.seed(kinds.services, service(`default/s${String(index)}`, { addresses: `10.0.1.${String(index)}` }));
      await pass(10);
    }
    await pass(1_000);
    const ofOne = writes.filter((key) => key.endsWith("node-1"));
    expect(ofOne.length).toBeGreaterThan(2);
    expect(ofOne.length).toBeLessThan(10);
  });

  it("say that a rebalancing was followed, and move the addresses back", async () => {
    const world = await worlds.open(seed);
    const preferred = firstOf(world, "node-1") ?? "";
    report(world, other(preferred), "10.0.0.1");
    await pass(1_000);
    expect(firstOf(world, "node-1")).toBe(other(preferred));
    const annotations = { [keys.rebalance]: "2026-01-01" };
    world.store.edit(kinds.pools, { namespace: "network", name: "homelab-pool" }, { metadata: { annotations } });
    await pass(1_000);
    const plan = valueOf(parsePlan(textOf(world, "node-1")));
    expect(plan).toMatchObject({ rebalanced: { "network/homelab-pool": "2026-01-01" }, vips: [{ moving: true }] });
    expect(firstOf(world, "node-1")).toBe(preferred);
  });
});

it("the keys of the announcers come back, with a new one, when somebody deletes them; also where a write fails", async () => {
  let failures = 0;
  const failing: Hook = ({ verb, key }, run) => {
    const isFailing = verb === "apply" && key.endsWith(keys.helloSecret) && failures-- > 0;
    return isFailing ? Promise.reject(new Error("connect ECONNREFUSED")) : run();
  };
  const world = await worlds.open(seed, { hook: () => failing });
  const secret = { namespace: keys.namespace, name: keys.helloSecret };
  const data = () => world.store.get(kinds.secrets, secret)?.data ?? {};
  const before = data();
  expect(Object.keys(before)).toHaveLength(1);
  vi.setSystemTime(Date.now() + 3_600_000);
  world.store.delete(kinds.secrets, secret);
  failures = 2;
  await pass(61_000);
  expect(failures).toBeLessThan(0);
  expect(Object.keys(data())).toHaveLength(2);
  expect(data()).toMatchObject(before);
});
