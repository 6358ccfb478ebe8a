/** Announcers that die without a word: what they reported last is not told for ever. */
import { describe, expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { parsePlan } from "../../core/announce/plan-text.ts";
import { keys } from "../../core/keys.ts";
import { valueOf } from "../core/builders.ts";
import { endpointSlice, lease, node, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds, type World } from "../support/world.ts";
import { assigned, keyOf, managed, report, seed, statuses } from "./announcing.ts";

const worlds = useWorlds();

/** So many seconds pass, in which these announcers renew their Leases every ten. */
async function renewing(world: World, seconds: number, ...names: readonly string[]): Promise<void> {
  for (let second = 0; second < seconds; second += 10) {
    const renewTime = new Date().toISOString();
    for (const name of names) world.store.edit(kinds.leases, keyOf(name), { spec: { renewTime } });
    await pass(10_000);
  }
}

const announcedBy = (world: World) => statuses(world).map(({ status }) => status?.node);
const conditionOf = (world: World) =>
  (world.service("default/web")?.status?.conditions ?? []).find(({ type }) => type === keys.announced);
const firstOf = (world: World, name: string) => {
  const text = world.store.get(kinds.leases, keyOf(name))?.metadata?.annotations?.[keys.plan] ?? "";
  return valueOf(parsePlan(text)).vips[0]?.nodes[0];
};

describe("a node whose announcer does not renew its Lease while another's does", () => {
  it("is told to announce for 40 seconds, then no more, and again when it renews", async () => {
    const world = await worlds.open(seed);
    report(world, "node-1", "10.0.0.1");
    await renewing(world, 20, "node-1", "node-2");
    await renewing(world, 40, "node-2");
    expect(announcedBy(world)).toEqual(["node-1"]);
    await renewing(world, 10, "node-2");
    expect(announcedBy(world)).toEqual([]);
    expect(conditionOf(world)).toMatchObject({ status: "False", reason: "WaitingForAnnouncer" });
    expect(["node-1", "node-2"].map((name) => firstOf(world, name))).toEqual(["node-2", "node-2"]);
    await renewing(world, 10, "node-1", "node-2");
    expect(announcedBy(world)).toEqual(["node-1"]);
    expect(conditionOf(world)).toMatchObject({ status: "True", reason: "Announced" });
  });

  it("is not believed by the next watcher, which hears both reports at once", async () => {
    const world = await worlds.open(seed);
    report(world, "node-1", "10.0.0.1");
    await renewing(world, 20, "node-1", "node-2");
    expect(announcedBy(world)).toEqual(["node-1"]);
    world.endWatcher();
    report(world, "node-2", "10.0.0.1");
    const next = new AbortController();
    await world.startWatcher(next.signal);
    await renewing(world, 60, "node-2");
    expect(announcedBy(world)).toEqual(["node-2"]);
    expect(conditionOf(world)?.message).toBe('Node "node-2" announces 10.0.0.1 on lan0');
    expect(["node-1", "node-2"].map((name) => firstOf(world, name))).toEqual(["node-2", "node-2"]);
    expect(assigned(world).at(-1)).toContain('"node-2"');
    next.abort();
  });
});

describe("while the watch of Leases stands still", () => {
  it("nothing is concluded from what the answers to writes bring", async () => {
    let isStill = false;
    const goesOn = Promise.withResolvers<undefined>();
    const names = ["node-1", "node-2", "node-3"];
    const world = await worlds.open(
      { ...seed, nodes: names.map((name) => node(name)), leases: names.map((name) => lease(name, managed)) },
      {
        hook: (process) => async (call, run) => {
          const isLease = call.verb === "watch event" && call.plural === kinds.leases.plural;
          if (isStill && isLease && process === "watcher") await goesOn.promise;
          return run();
        },
      },
    );
    report(world, "node-1", "10.0.0.1");
    await renewing(world, 20, ...names);
    const lost: string[] = [];
    world.watcher.cluster.renewals.subscribe((name) => lost.push(name), new AbortController().signal);
    isStill = true;
    for (let index = 0; index < 8; index += 1) {
      // Only the plan of the one node on which its pod is changes with it.
      const key = `default/local-${String(index)}`;
      await world.create(kinds.services, service(key, { spec: { externalTrafficPolicy: "Local" } }));
      await world.store.client().create(kinds.endpointSlices, endpointSlice(key, "node-2"));
      await renewing(world, 10, ...names);
    }
    goesOn.resolve(undefined);
    isStill = false;
    await renewing(world, 60, ...names);
    expect(lost).toEqual([]);
    expect(announcedBy(world)).toEqual(["node-1"]);
  });
});

describe("while no Lease is renewed", () => {
  it("nothing is concluded, nor from who renews first afterwards", async () => {
    const world = await worlds.open(seed);
    report(world, "node-1", "10.0.0.1");
    await renewing(world, 20, "node-1", "node-2");
    const { resourceVersion } = world.store;
    await pass(3_600_000);
    expect(world.store.resourceVersion).toBe(resourceVersion);
    await renewing(world, 30, "node-2");
    expect(announcedBy(world)).toEqual(["node-1"]);
    await renewing(world, 60, "node-1", "node-2");
    expect(announcedBy(world)).toEqual(["node-1"]);
    expect(assigned(world)).toHaveLength(1);
  });
});
