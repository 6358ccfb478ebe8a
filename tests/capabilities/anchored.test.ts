/** Addresses that no usable pool has and that Services keep: of a pool with a fault, or from before Berth. */
import { describe, expect, it, test } from "vitest";
import type { IPAddressPool } from "../../cluster/crd.ts";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { annotate, at, lan, settled, web } from "../support/web.ts";
import { useWorlds, type World } from "../support/world.ts";

const worlds = useWorlds();

const broken = pool("broken", ["10.1.0.1-10.1.0.9", "nonsense"]);
const linkLocal = pool("broken", ["169.254.0.1-169.254.0.9", "10.1.0.1-10.1.0.9"]);
const twice = pool("broken", ["10.1.0.1-10.1.0.9"], {
  serviceAllocation: {
    serviceSelectors: [
      { matchLabels: { a: "b" } },
      { matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] },
    ],
  },
});
const repair = { spec: { addresses: ["10.1.0.1-10.1.0.9"] } };

async function openWith(pools: readonly IPAddressPool[], ...status: readonly string[]): Promise<World> {
  return worlds.open({ pools, services: [service(web, { status })] });
}

const unpin = annotate({ [keys.pinOld]: null, [keys.pinNew]: null });

/** "default/web" asks for 10.1.0.1 and has it, of the pool "broken", which was broken while the webhook was away. */
async function openPinned(spec: object | undefined = broken.spec): Promise<World> {
  const world = await worlds.open({ pools: [lan, pool("broken", ["10.1.0.1-10.1.0.9"])] });
  await world.create(kinds.services, service(web, { pin: "10.1.0.1" }));
  await pass(100);
  world.store.edit(kinds.pools, { namespace: "network", name: "broken" }, { spec });
  await pass(10_000);
  return world;
}

/** The same, and it asks for nothing any more. */
async function openServed(): Promise<World> {
  const world = await openPinned();
  expect((await world.change(kinds.services, web, unpin)).denied).toBeUndefined();
  await pass(100);
  return world;
}

const keeps =
  'Service "default/web" goes on with 10.1.0.1 of IPAddressPool "network/broken", which gives no addresses as it is; repair the pool (its condition berth.dev/Ready says what is wrong), or ask for another pool';

describe("a Service of a pool that comes to have a fault", () => {
  it("keeps its address although another pool has one, and is told", async () => {
    const world = await openServed();
    expect(await settled(world)).toEqual(at("10.1.0.1"));
    expect(world.conditionOf(web)).toBe(`True PoolInert: ${keeps}`);
    expect(world.service(web)?.metadata?.annotations?.[keys.fromPool]).toBe("broken");
  });

  it("keeps it although its entry can't be read, and the pool can't be deleted", async () => {
    const world = await openPinned({ addresses: ["10.1.0.1-10.1.0.900"] });
    await world.change(kinds.services, web, unpin);
    expect(await settled(world)).toEqual(at("10.1.0.1"));
    expect((await world.delete(kinds.pools, "network/broken")).denied).toContain('10.1.0.1 (Service "default/web")');
  });

  it("keeps it and is told so where it asks for it and there is no other pool", async () => {
    const world = await worlds.open({ pools: [pool("broken", ["10.1.0.1-10.1.0.9"])] });
    await world.create(kinds.services, service(web, { pin: "10.1.0.1" }));
    await pass(100);
    world.store.edit(kinds.pools, { namespace: "network", name: "broken" }, { spec: broken.spec });
    expect(await settled(world)).toEqual(at("10.1.0.1"));
    expect(world.conditionOf(web)).toBe(`True PoolInert: ${keeps}`);
  });

  it("is denied what it can't have beside that", async () => {
    const world = await openServed();
    const spec = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] };
    expect((await world.change(kinds.services, web, { spec })).denied).toContain("needs IPv4 and IPv6");
    expect(await settled(world)).toEqual(at("10.1.0.1"));
  });

  it("is let through with a Warning whatever else of it changes", async () => {
    const world = await openServed();
    const patch = { metadata: { labels: { a: "b" } }, spec: { externalTrafficPolicy: "Local" } };
    const { denied, warnings } = await world.change(kinds.services, web, patch);
    expect([denied, warnings]).toEqual([undefined, [keeps]]);
    expect(await settled(world)).toEqual(at("10.1.0.1"));
  });

  it("is served as before once the pool is repaired", async () => {
    const world = await openServed();
    expect((await world.change(kinds.pools, "network/broken", repair)).denied).toBeUndefined();
    expect(await settled(world)).toEqual(at("10.1.0.1"));
    expect(world.conditionOf(web)).toMatch(/^True Assigned/);
  });

  test.each<{ row: string; asks: Record<string, string>; to: string }>([
    { row: "another pool", asks: { [keys.poolNew]: "lan" }, to: "10.0.0.1" },
    { row: "an address of another", asks: { [keys.pinNew]: "10.0.0.5" }, to: "10.0.0.5" },
  ])("moves when it asks for $row", async ({ asks, to }) => {
    const world = await openServed();
    expect((await world.change(kinds.services, web, annotate(asks))).denied).toBeUndefined();
    expect(await settled(world)).toEqual(at(to));
  });

  test.each<{ row: string; ask: (world: World) => Promise<{ readonly denied?: string }> }>([
    { row: "deleted", ask: (world) => world.delete(kinds.pools, "network/broken") },
    {
      row: "repaired without the address",
      ask: (world) => world.change(kinds.pools, "network/broken", { spec: { addresses: ["10.1.0.2-10.1.0.9"] } }),
    },
  ])("does not lose it by the pool's being $row", async ({ ask }) => {
    const world = await openServed();
    expect((await ask(world)).denied).toContain('10.1.0.1 (Service "default/web")');
    expect(await settled(world)).toEqual(at("10.1.0.1"));
  });
});

describe("a Service from before Berth", () => {
  test.each<{ row: string; pools: readonly IPAddressPool[] }>([
    { row: "of a pool with an entry that can't be read, and no other pool", pools: [broken] },
    { row: "of a pool with an entry that can't be read, and another", pools: [lan, broken] },
    { row: "of a pool with a link-local range", pools: [lan, linkLocal] },
    { row: "of a pool that says one selector twice", pools: [lan, twice] },
  ])("$row keeps its address, and is told", async ({ pools }) => {
    const world = await openWith(pools, "10.1.0.1");
    expect(await settled(world)).toEqual(at("10.1.0.1"));
    expect(world.conditionOf(web)).toBe(`True PoolInert: ${keeps}`);
  });

  test.each<{ row: string; pools: readonly IPAddressPool[] }>([
    { row: "and no pool at all", pools: [] },
    { row: "and a pool that would serve it", pools: [lan] },
  ])("with an address of no pool $row keeps it, and is told", async ({ pools }) => {
    const world = await openWith(pools, "172.16.0.9");
    expect(await settled(world)).toEqual(at("172.16.0.9"));
    expect(world.conditionOf(web)).toBe(
      'True AddressOfNoPool: Service "default/web" goes on with 172.16.0.9, which it had before Berth and no IPAddressPool has; add that to a pool, or name a pool in the annotation metallb.io/address-pool to be moved',
    );
    expect(world.events(web).map((event) => event.split(":")[0])).toEqual(["AllocationFailed"]);
  });

  it("keeps it through changes, a new watcher, and the loss of its claim", async () => {
    const world = await openWith([lan], "172.16.0.9");
    await world.change(kinds.services, web, { metadata: { labels: { a: "b" } } });
    await world.delete(kinds.claims, "172.16.0.9");
    expect(await settled(world)).toEqual(at("172.16.0.9"));
    const end = new AbortController();
    await world.startWatcher(end.signal);
    expect(await settled(world)).toEqual(at("172.16.0.9"));
    end.abort();
  });

  test.each<{ row: string; annotations: Record<string, string> }>([
    { row: "a pin that no pool has", annotations: { [keys.pinNew]: "172.16.0.9" } },
    { row: "a pin that is none", annotations: { [keys.pinNew]: "nonsense" } },
    { row: "a pool that there is not", annotations: { [keys.poolNew]: "nowhere" } },
  ])("keeps it with $row, without its claim, and when that is taken off", async ({ annotations }) => {
    const world = await worlds.open({
      pools: [lan],
      services: [service(web, { status: ["172.16.0.9"], annotations })],
    });
    expect(await settled(world)).toEqual(at("172.16.0.9"));
    await world.delete(kinds.claims, "172.16.0.9");
    expect(await settled(world)).toEqual(at("172.16.0.9"));
    const off = annotate(Object.fromEntries(Object.keys(annotations).map((name) => [name, null])));
    expect((await world.change(kinds.services, web, off)).denied).toBeUndefined();
    expect(await settled(world)).toEqual(at("172.16.0.9"));
    expect(world.conditionOf(web)).toMatch(/^True AddressOfNoPool/);
  });

  it("gives up the family that it wants no more", async () => {
    const spec = {
      ipFamilyPolicy: "RequireDualStack",
      ipFamilies: ["IPv4", "IPv6"],
      clusterIPs: ["10.96.0.9", "fd96::9"],
    };
    const status = ["172.16.0.9", "fd16::9"];
    const world = await worlds.open({ pools: [lan], services: [service(web, { status, spec })] });
    expect(await settled(world)).toEqual(at("172.16.0.9,fd16::9"));
    const single = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"], clusterIPs: ["10.96.0.9"] };
    expect((await world.change(kinds.services, web, { spec: single })).denied).toBeUndefined();
    expect(await settled(world)).toEqual(at("172.16.0.9"));
  });

  test.each<{ row: string; policy: string; pools: readonly IPAddressPool[]; reason: RegExp }>([
    { row: "of no pool, and prefers both", policy: "PreferDualStack", pools: [lan], reason: /^True AddressOfNoPool/ },
    { row: "of no pool, and requires both", policy: "RequireDualStack", pools: [lan], reason: /^True NoPoolForFamily/ },
    {
      row: "of a pool with a fault, and prefers both",
      policy: "PreferDualStack",
      pools: [lan, pool("six", ["fd16::1-fd16::9", "nonsense"])],
      reason: /^True PoolInert/,
    },
  ])("keeps the address that a usable pool has beside the one $row", async ({ policy, pools, reason }) => {
    const spec = { ipFamilyPolicy: policy, ipFamilies: ["IPv4", "IPv6"], clusterIPs: ["10.96.0.9", "fd96::9"] };
    const world = await worlds.open({ pools, services: [service(web, { status: ["10.0.0.5", "fd16::9"], spec })] });
    expect(await settled(world)).toEqual(at("10.0.0.5,fd16::9"));
    expect(world.conditionOf(web)).toMatch(reason);
    expect((await world.change(kinds.services, web, { metadata: { labels: { a: "b" } } })).denied).toBeUndefined();
    expect(await settled(world)).toEqual(at("10.0.0.5,fd16::9"));
  });

  it("does not lose it to a pool that may not serve it", async () => {
    const world = await openWith([lan], "172.16.0.9");
    const late = pool("late", ["172.16.0.0/24"], { serviceAllocation: { namespaces: ["elsewhere"] } });
    expect((await world.create(kinds.pools, late)).denied).toContain('172.16.0.9 (Service "default/web")');
    expect(await settled(world)).toEqual(at("172.16.0.9"));
  });

  it("is a pool's as any other once one has its address", async () => {
    const world = await openWith([lan], "172.16.0.9");
    await world.create(kinds.pools, pool("late", ["172.16.0.1-172.16.0.20"]));
    expect(await settled(world)).toEqual(at("172.16.0.9"));
    expect(world.conditionOf(web)).toMatch(/^True Assigned: 172\.16\.0\.9 from IPAddressPool "network\/late"/);
    expect(world.store.get(kinds.claims, { name: "172.16.0.9" })?.metadata).toMatchObject({
      labels: { [keys.claimPool]: "late" },
    });
    expect((await world.delete(kinds.pools, "network/late")).denied).toContain("172.16.0.9");
    await world.change(kinds.pools, "network/late", annotate({ [keys.poolAllowRenumbering]: "true" }));
    expect((await world.delete(kinds.pools, "network/late")).denied).toBeUndefined();
    expect(await settled(world)).toEqual(at("10.0.0.1"));
  });
});

describe("a Service that asks for what a pool with a fault has", () => {
  it("waits where it names the pool, and is served once that is repaired", async () => {
    const world = await worlds.open({ pools: [lan, broken] });
    const { warnings } = await world.create(kinds.services, service(web, annotate({ [keys.poolNew]: "broken" })));
    expect(warnings).toEqual([
      'Service "default/web" asks for IPAddressPool "network/broken", which gives no addresses as it is; repair the pool (its condition berth.dev/Ready says what is wrong), or ask for another pool',
    ]);
    await world.change(kinds.pools, "network/broken", repair);
    expect(await settled(world)).toEqual(at("10.1.0.1"));
  });

  it("is denied the address that it asks for", async () => {
    const world = await worlds.open({ pools: [lan, broken] });
    expect((await world.create(kinds.services, service(web, { pin: "10.1.0.5" }))).denied).toBe(
      'Service "default/web" asks for 10.1.0.5, which is in IPAddressPool "network/broken", which gives no addresses as it is; ask for a free one such as 10.0.0.1, or remove the annotation to be given one',
    );
  });
});
