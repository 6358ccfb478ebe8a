/** What a person is told of a pool, and when one may be changed or deleted. */
import { describe, expect, it, test } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
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

describe("a pool that is wrong whatever else there is is denied in one sentence", () => {
  const has = (says: string): string => `IPAddressPool "network/lan" has in spec.addresses ${says}`;
  test.each<{ case: string; addresses: readonly string[]; says: string; avoidBuggyIPs?: boolean }>([
    {
      case: "reversed",
      addresses: ["10.0.0.9-10.0.0.1"],
      says: has('"10.0.0.9-10.0.0.1", which runs backwards; write 10.0.0.1-10.0.0.9'),
    },
    {
      case: "octal octets",
      addresses: ["10.0.0.001-10.0.0.9"],
      says: has(
        '"10.0.0.001-10.0.0.9", where "10.0.0.001" has a leading zero, which some programs read as octal; write its numbers without leading zeros',
      ),
    },
    {
      case: "no range",
      addresses: ["lan"],
      says: has(
        '"lan", which is no range; write a CIDR such as 192.168.1.0/24 or a range such as 192.168.1.200-192.168.1.220',
      ),
    },
    {
      case: "bare",
      addresses: ["10.0.0.1"],
      says: has('"10.0.0.1", a bare address; write 10.0.0.1/32 for this one address'),
    },
    {
      case: "empty",
      addresses: [],
      says: 'IPAddressPool "network/lan" has no addresses; list at least one range in spec.addresses',
    },
    {
      case: "of zero addresses",
      addresses: ["10.0.0.0/32", "10.0.0.255/32"],
      avoidBuggyIPs: true,
      says: 'IPAddressPool "network/lan" has only addresses that avoidBuggyIPs keeps back; add a range or turn avoidBuggyIPs off',
    },
    {
      case: "loopback",
      addresses: ["127.0.0.0/24"],
      says: has(
        '"127.0.0.0/24", which holds loopback addresses, which no other machine reaches; use addresses of your own network',
      ),
    },
    {
      case: "overlapping itself",
      addresses: ["10.0.0.0/24", "10.0.0.128/25"],
      says: 'IPAddressPool "network/lan" has 10.0.0.128/25 and 10.0.0.0/24, which overlap; keep each address in one entry',
    },
    {
      case: "overlapping another",
      addresses: ["192.168.1.0/24"],
      says: 'IPAddressPool "network/lan" has 192.168.1.0/24, which overlaps 192.168.1.200-192.168.1.220 of IPAddressPool "network/homelab-pool"; keep each address in one pool',
    },
  ])("$case", async ({ addresses, says, avoidBuggyIPs = false }) => {
    const world = await worlds.open({ pools: [homelab] });
    expect((await world.create(kinds.pools, pool("lan", addresses, { avoidBuggyIPs }))).denied).toBe(says);
    expect(world.store.all(kinds.pools)).toHaveLength(1);
  });
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

  it.each(["namespace-controller", "generic-garbage-collector"])("may be deleted by the %s", async (name) => {
    const world = await worlds.open(inUse);
    const user = `system:serviceaccount:kube-system:${name}`;
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
