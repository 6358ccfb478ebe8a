/** Services of both families, row by row; where Berth's rule is another than MetalLB's, Berth's. */
import { describe, expect, it, test } from "vitest";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pool, service, serviceCIDR } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { at, renumbering, settled, web } from "../support/web.ts";
import { useWorlds, type World } from "../support/world.ts";

const worlds = useWorlds();

const both = pool("both", ["10.0.0.1-10.0.0.3", "fd00::1-fd00::3"], {}, renumbering);
const four = pool("four", ["10.4.0.1-10.4.0.3"], {}, renumbering);
const six = pool("six", ["fd06::1-fd06::3"], {}, renumbering);
type Policy = "SingleStack" | "PreferDualStack" | "RequireDualStack";

/** A Service of the policy with ClusterIPs of these families, in order; an annotation where it pins. */
const stacked = (policy: Policy, families: readonly ("4" | "6")[] = ["4", "6"], pin?: string, key = web): Service => {
  const clusterIPs = families.map((family) => (family === "4" ? "10.96.0.9" : "fd96::9"));
  const ipFamilies = families.map((family) => `IPv${family}`);
  const spec = { ipFamilyPolicy: policy, clusterIPs, ipFamilies };
  return service(key, { spec, ...(pin === undefined ? {} : { annotations: { [keys.pinNew]: pin } }) });
};

async function openWith(pools: readonly (typeof both)[], ...services: readonly Service[]): Promise<World> {
  const serviceCIDRs = [serviceCIDR("10.96.0.0/16", "fd96::/112")];
  const world = await worlds.open({ pools, serviceCIDRs });
  for (const one of services) await world.create(kinds.services, one);
  await pass(100);
  return world;
}

describe("one that goes on with an address of one family, as its pool has lost the other", () => {
  const other = "default/other";
  const sharer = (key: string, port: number, spec: object): Service =>
    service(key, { annotations: { [keys.shareNew]: "k" }, spec: { ports: [{ name: "p", port }], ...spec } });

  async function openHalved(): Promise<World> {
    const dual = { ipFamilyPolicy: "RequireDualStack", clusterIPs: ["10.96.0.9", "fd96::9"] };
    const world = await openWith([both], sharer(web, 443, dual), sharer(other, 80, { clusterIPs: ["10.96.0.10"] }));
    await world.change(kinds.pools, "network/both", { spec: { addresses: ["10.0.0.1-10.0.0.3"] } });
    await pass(140_000);
    expect([web, other].map((key) => world.annotationOf(key))).toEqual(["10.0.0.1", "10.0.0.1"]);
    return world;
  }

  it.each([
    [
      "its key",
      { metadata: { annotations: { [keys.shareNew]: "x" } } },
      ` and does not share with it: its annotation ${keys.shareNew} says "k"`,
    ],
    ["without a key", { metadata: { annotations: { [keys.shareNew]: null } } }, ""],
    ["its port", { spec: { ports: [{ name: "p", port: 80 }] } }, " and does not share with it: both use TCP/80"],
  ])("is denied what would take that one from it as well: %s", async (_, change, conflict) => {
    const world = await openHalved();
    const { denied } = await world.change(kinds.services, web, change);
    expect(denied).toBe(
      `Service "default/web" would lose 10.0.0.1 by this change, which Service "default/other" holds${conflict}; leave that as it is until it can be given another address (condition berth.dev/AddressAssigned)`,
    );
    await pass(140_000);
    expect(world.statusOf(web)).toEqual(["10.0.0.1"]);
  });

  it("is bound by a change from the moment of its admission: nobody comes in who would not agree", async () => {
    const world = await openHalved();
    const { denied } = await world.change(kinds.services, web, { spec: { ports: [{ name: "p", port: 444 }] } });
    expect(denied).toBeUndefined();
    await world.create(kinds.services, sharer("default/third", 444, { clusterIPs: ["10.96.0.11"] }));
    await pass(140_000);
    expect([web, other, "default/third"].map((key) => world.statusOf(key))).toEqual([
      ["10.0.0.1"],
      ["10.0.0.1"],
      ["10.0.0.2"],
    ]);
  });

  it.each([
    ["another port", { spec: { ports: [{ name: "p", port: 444 }] } }],
    ["a label", { metadata: { labels: { x: "y" } } }],
  ])("is changed in what takes nothing from it, with a Warning: %s", async (_, change) => {
    const world = await openHalved();
    const { denied, warnings } = await world.change(kinds.services, web, change);
    expect([denied, warnings.join()]).toEqual([undefined, expect.stringContaining("needs IPv4 and IPv6")]);
    await pass(140_000);
    expect([web, other].map((key) => world.statusOf(key))).toEqual([["10.0.0.1"], ["10.0.0.1"]]);
  });
});

test.each<{ row: string; one: Service; pools: readonly (typeof both)[]; has: string }>([
  {
    row: "Require: both of one pool, IPv4 first",
    one: stacked("RequireDualStack"),
    pools: [four, six, both],
    has: "10.0.0.1,fd00::1",
  },
  {
    row: "Require with IPv6 first: IPv4 first all the same",
    one: stacked("RequireDualStack", ["6", "4"]),
    pools: [both],
    has: "10.0.0.1,fd00::1",
  },
  {
    row: "Prefer: both of the pool that has both",
    one: stacked("PreferDualStack"),
    pools: [four, six, both],
    has: "10.0.0.1,fd00::1",
  },
  { row: "Require and no pool with both: none", one: stacked("RequireDualStack"), pools: [four, six], has: "" },
  {
    row: "Prefer and no pool with both: the first family",
    one: stacked("PreferDualStack"),
    pools: [four, six],
    has: "10.4.0.1",
  },
  {
    row: "Prefer and no pool with both, IPv6 first",
    one: stacked("PreferDualStack", ["6", "4"]),
    pools: [four, six],
    has: "fd06::1",
  },
  { row: "Prefer and no pool of the first family", one: stacked("PreferDualStack"), pools: [six], has: "fd06::1" },
  {
    row: "Prefer with one ClusterIP: one, also from a pool with both",
    one: stacked("PreferDualStack", ["6"]),
    pools: [both],
    has: "fd00::1",
  },
  {
    row: "SingleStack with two ClusterIPs: the first family",
    one: stacked("SingleStack", ["6", "4"]),
    pools: [both],
    has: "fd00::1",
  },
  {
    row: "two pins: in the order written, and it stays so",
    one: stacked("RequireDualStack", ["4", "6"], "fd00::2,10.0.0.3"),
    pools: [both],
    has: "fd00::2,10.0.0.3",
  },
  {
    row: "Require with one pin: the other of the same pool",
    one: stacked("RequireDualStack", ["4", "6"], "fd00::2"),
    pools: [four, both],
    has: "fd00::2,10.0.0.1",
  },
  {
    row: "Prefer with one pin: served, the other of the same pool",
    one: stacked("PreferDualStack", ["4", "6"], "10.0.0.2"),
    pools: [four, both],
    has: "10.0.0.2,fd00::1",
  },
  {
    row: "Prefer with one pin of a pool of one family: that one",
    one: stacked("PreferDualStack", ["4", "6"], "10.4.0.2"),
    pools: [four, both],
    has: "10.4.0.2",
  },
])("$row", async ({ one, pools, has }) => {
  expect(await settled(await openWith(pools, one))).toEqual(at(has));
});

describe("a Service that has", () => {
  it("one, when its pool gains the other family: gets the second, and the first stays", async () => {
    const world = await openWith([four, six], stacked("PreferDualStack"));
    await world.change(kinds.pools, "network/four", { spec: { addresses: ["10.4.0.1-10.4.0.3", "fd04::1-fd04::3"] } });
    expect(await settled(world)).toEqual(at("10.4.0.1,fd04::1"));
  });

  it("one, when another pool with both appears: stays", async () => {
    const world = await openWith([four], stacked("PreferDualStack"));
    await world.create(kinds.pools, both);
    expect(await settled(world)).toEqual(at("10.4.0.1"));
  });

  it("one, while its pool has none of the other family free: gets it as soon as one is", async () => {
    const narrow = pool("narrow", ["10.0.0.1-10.0.0.3", "fd00::1-fd00::1"]);
    const first = stacked("SingleStack", ["6"], undefined, "default/first");
    const world = await openWith([narrow], first, stacked("PreferDualStack"));
    expect((await settled(world)).status).toBe("10.0.0.1");
    await world.delete(kinds.services, "default/first");
    expect(await settled(world)).toEqual(at("10.0.0.1,fd00::1"));
  });

  it("two, when its pool loses a family: keeps the one that is left, though another pool has both", async () => {
    const other = pool("zz", ["10.9.0.1-10.9.0.3", "fd09::1-fd09::3"]);
    const world = await openWith([both, other], stacked("PreferDualStack"));
    await world.change(kinds.pools, "network/both", { spec: { addresses: ["10.0.0.1-10.0.0.3"] } });
    expect(await settled(world)).toEqual(at("10.0.0.1"));
  });

  it("two and requires them, when its pool loses a family: moves to another pool with both", async () => {
    const other = pool("zz", ["10.9.0.1-10.9.0.3", "fd09::1-fd09::3"]);
    const world = await openWith([both, other], stacked("RequireDualStack"));
    await world.change(kinds.pools, "network/both", { spec: { addresses: ["10.0.0.1-10.0.0.3"] } });
    expect(await settled(world)).toEqual(at("10.9.0.1,fd09::1"));
  });

  it("two and requires them, when its pool loses a family and no other has both: keeps the one, and is told", async () => {
    const world = await openWith([both], stacked("RequireDualStack"));
    await world.change(kinds.pools, "network/both", { spec: { addresses: ["10.0.0.1-10.0.0.3"] } });
    expect(await settled(world)).toEqual(at("10.0.0.1"));
    expect(world.conditionOf(web)).toMatch(/^True NoPoolForFamily/);
  });

  it("one, and comes to require both: denied where no pool has both, and nothing changes", async () => {
    const world = await openWith([four, six], stacked("PreferDualStack"));
    const change = { spec: { ipFamilyPolicy: "RequireDualStack" } };
    expect((await world.change(kinds.services, web, change)).denied).toContain("no pool for it has both families");
    expect(await settled(world)).toEqual(at("10.4.0.1"));
  });

  it("one, and comes to require both: moves where a pool has both", async () => {
    const world = await openWith([four], stacked("PreferDualStack"));
    await world.create(kinds.pools, both);
    await world.change(kinds.services, web, { spec: { ipFamilyPolicy: "RequireDualStack" } });
    expect(await settled(world)).toEqual(at("10.0.0.1,fd00::1"));
  });

  it("two, and comes to want one: keeps that of its first family", async () => {
    const world = await openWith([both], stacked("RequireDualStack", ["6", "4"]));
    const spec = { ipFamilyPolicy: "SingleStack", clusterIPs: ["fd96::9"], ipFamilies: ["IPv6"] };
    await world.change(kinds.services, web, { spec });
    expect(await settled(world)).toEqual(at("fd00::1"));
  });

  it("two that it pins, and comes to want one: denied while it pins both, and then keeps that one", async () => {
    const world = await openWith([both], stacked("RequireDualStack", ["4", "6"], "fd00::2,10.0.0.3"));
    const spec = { ipFamilyPolicy: "SingleStack", clusterIPs: ["10.96.0.9"], ipFamilies: ["IPv4"] };
    expect((await world.change(kinds.services, web, { spec })).denied).toContain("but has only IPv4");
    expect(await settled(world)).toEqual(at("fd00::2,10.0.0.3"));
    const metadata = { annotations: { [keys.pinNew]: "10.0.0.3" } };
    expect((await world.change(kinds.services, web, { metadata, spec })).denied).toBeUndefined();
    expect(await settled(world)).toEqual(at("10.0.0.3"));
  });

  it("two in the order that it pinned them: keeps the order when the pin goes and comes back otherwise", async () => {
    const world = await openWith([both], stacked("RequireDualStack", ["4", "6"], "fd00::2,10.0.0.3"));
    await world.change(kinds.services, web, { metadata: { annotations: { [keys.pinNew]: null } } });
    expect(await settled(world)).toEqual(at("fd00::2,10.0.0.3"));
    await world.change(kinds.services, web, { metadata: { annotations: { [keys.pinNew]: "10.0.0.3,fd00::2" } } });
    expect(await settled(world)).toEqual(at("fd00::2,10.0.0.3"));
  });
});
