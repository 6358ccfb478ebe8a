/** What a person is told of a pool, and when one may be changed or deleted. */
import { describe, expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { claim, pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds, type Seed, type World } from "../support/world.ts";

const worlds = useWorlds();

const homelab = pool("homelab-pool", ["192.168.1.200-192.168.1.220"]);
const inUse: Seed = {
  pools: [homelab],
  services: [
    service("default/web", { addresses: "192.168.1.205" }),
    service("default/db", { addresses: "192.168.1.210" }),
  ],
  claims: [claim("192.168.1.205", "default/web"), claim("192.168.1.210", "default/db")],
};
const stranded =
  'IPAddressPool "network/homelab-pool" would lose 192.168.1.205 (Service "default/web"), 192.168.1.210 (Service "default/db"), which are in use; keep the addresses in a pool, move the Services first, or set the annotation berth.dev/allow-renumbering: "true" on it to have them renumbered';

it("a pool may stand in any namespace, under a name that another has (MetalLB: only in its own)", async () => {
  const world = await worlds.open({ pools: [homelab] });
  const namesake = await world.create(kinds.pools, pool("shop/homelab-pool", ["10.0.0.0/24"]));
  expect([namesake.denied, namesake.warnings]).toEqual([undefined, []]);
  await pass(100);
  await world.create(kinds.services, service("default/new", { annotations: { [keys.poolNew]: "shop/homelab-pool" } }));
  expect(world.annotationOf("default/new")).toBe("10.0.0.0");
});

it("a pool that is renamed is not held up by its old name, whose deletion the process has not heard of", async () => {
  const world = await worlds.open({ pools: [homelab] });
  const [stored] = world.store.all(kinds.pools);
  await world.store.client().remove(kinds.pools, { namespace: "network", name: "homelab-pool" }, {});
  await pass(100);
  for (const { cluster } of world.admission) cluster.pools.put(stored!);
  const renamed = await world.create(kinds.pools, pool("renamed", ["192.168.1.200-192.168.1.220"]));
  expect([renamed.denied, renamed.warnings]).toEqual([undefined, []]);
});

describe("a pool in use", () => {
  const shrink = { spec: { addresses: ["192.168.1.215-192.168.1.220"] } };

  it("may not be deleted by a person", async () => {
    const world = await worlds.open(inUse);
    expect((await world.delete(kinds.pools, "network/homelab-pool")).denied).toBe(stranded);
    expect(world.store.all(kinds.pools)).toHaveLength(1);
  });

  it.each([
    "system:serviceaccount:kube-system:namespace-controller",
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:kube-controller-manager", // both of them, without --use-service-account-credentials
  ])("may be deleted by %s", async (user) => {
    const world = await worlds.open(inUse);
    expect((await world.delete(kinds.pools, "network/homelab-pool", user)).denied).toBeUndefined();
    await pass(10_000);
    expect(world.statusOf("default/web")).toEqual([]);
    expect(world.conditionOf("default/web")).toMatch(/^False NoPools: /);
    expect(world.events("default/web")).toContainEqual(
      expect.stringMatching(
        /^ClearAssignment: Took back 192\.168\.1\.205: Service "default\/web" gets an address as soon/,
      ),
    );
    expect(world.claims()).toEqual([]);
  });

  it("may not lose the addresses", async () => {
    const world = await worlds.open(inUse);
    expect((await world.change(kinds.pools, "network/homelab-pool", shrink)).denied).toBe(stranded);
  });

  it("may lose them once the Services are gone", async () => {
    const world = await worlds.open(inUse);
    await world.delete(kinds.services, "default/web");
    await world.delete(kinds.services, "default/db");
    await pass(2_100);
    expect((await world.change(kinds.pools, "network/homelab-pool", shrink)).denied).toBeUndefined();
  });

  it.each<{ how: string; change: (world: World) => Promise<{ readonly denied?: string }> }>([
    {
      how: "grow",
      change: (world) =>
        world.change(kinds.pools, "network/homelab-pool", { spec: { addresses: ["192.168.1.200-192.168.1.230"] } }),
    },
    {
      how: "lose addresses that are free",
      change: (world) =>
        world.change(kinds.pools, "network/homelab-pool", { spec: { addresses: ["192.168.1.205-192.168.1.210"] } }),
    },
    {
      how: "stop giving addresses by itself",
      change: (world) => world.change(kinds.pools, "network/homelab-pool", { spec: { autoAssign: false } }),
    },
  ])("may $how, and nothing moves", async ({ change }) => {
    const world = await worlds.open(inUse);
    expect((await change(world)).denied).toBeUndefined();
    await pass(1_000);
    expect(["web", "db"].map((name) => world.statusOf(`default/${name}`))).toEqual([
      ["192.168.1.205"],
      ["192.168.1.210"],
    ]);
  });
});

it("an unused pool may be deleted", async () => {
  const world = await worlds.open({ pools: [homelab] });
  expect((await world.delete(kinds.pools, "network/homelab-pool")).denied).toBeUndefined();
});

it("a pool that overlaps another may be repaired", async () => {
  const overlapping = pool("lan", ["192.168.1.0/24"]);
  const world = await worlds.open({ pools: [homelab, overlapping] });
  const { denied } = await world.change(kinds.pools, "network/lan", { spec: { addresses: ["192.168.1.0/25"] } });
  expect(denied).toBeUndefined();
});
