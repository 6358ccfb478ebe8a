/** Where a new address comes from (§4.2 of MetalLB's rules), row by row, through admission; where Berth's rule is another, Berth's. */
import { expect, it, test } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pool, service, serviceCIDR, type ServiceParts } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { web } from "../support/web.ts";
import { useWorlds, type Seed } from "../support/world.ts";

const worlds = useWorlds();

const prioritised = (priority?: number) => ({ serviceAllocation: priority === undefined ? {} : { priority } });
const lan = pool("lan", ["10.0.0.1-10.0.0.9"]);
const manual = pool("manual", ["10.1.0.1-10.1.0.9"], { autoAssign: false });
const others = pool("others", ["10.2.0.1-10.2.0.9"], { serviceAllocation: { namespaces: ["elsewhere"] } });
const six = pool("six", ["fd06::1-fd06::9"]);
const pins = (text: string, spec: Record<string, unknown> = {}): ServiceParts => ({
  annotations: { [keys.pinNew]: text },
  spec,
});
const named = (name: string): ServiceParts => ({ annotations: { [keys.poolNew]: name } });
const dual = { ipFamilyPolicy: "RequireDualStack" };

test.each<{ row: string; one?: ServiceParts; pools: Seed["pools"]; gets?: string; denied?: string; warned?: string }>([
  { row: "a request: that address", one: pins("10.0.0.7"), pools: [lan], gets: "10.0.0.7" },
  { row: "a request: also of a pool on request", one: pins("10.1.0.7"), pools: [lan, manual], gets: "10.1.0.7" },
  {
    row: "a request: not of a pool for others",
    one: pins("10.2.0.7"),
    pools: [lan, others],
    denied: "does not serve this namespace",
  },
  {
    row: "a request: of no other family than the Service's",
    one: pins("fd06::1"),
    pools: [lan, six],
    denied: "but has only IPv4",
  },
  {
    row: "a request: of one address a family at most",
    one: pins("10.0.0.1,10.0.0.2"),
    pools: [lan],
    denied: "all IPv4; ask for at most one address of each family",
  },
  {
    row: "a request: all of one pool",
    one: pins("10.0.0.1,fd06::1", dual),
    pools: [lan, six],
    denied: 'for 10.0.0.1 of IPAddressPool "network/lan" and fd06::1 of IPAddressPool "network/six"',
  },
  {
    row: "a request: of the pool that is named, if one is",
    one: { annotations: { ...pins("10.1.0.7").annotations, ...named("lan").annotations } },
    pools: [lan, manual],
    denied: 'though it names the pool "lan"',
  },
  { row: "a pool by name: that pool", one: named("lan"), pools: [pool("aaa", ["10.9.0.0/24"]), lan], gets: "10.0.0.1" },
  { row: "a pool by name: also one on request", one: named("manual"), pools: [lan, manual], gets: "10.1.0.1" },
  {
    row: "a pool by name: not one for others",
    one: named("others"),
    pools: [lan, others],
    denied: "does not serve this namespace",
  },
  {
    row: "a pool by name: none that does not exist yet",
    one: named("later"),
    pools: [lan],
    warned: 'asks for the pool "later", which does not exist',
  },
  {
    row: "a pool by name: none of another family",
    one: named("six"),
    pools: [lan, six],
    warned: 'needs IPv4, but no pool for it has such addresses (IPAddressPool "network/six")',
  },
  {
    row: "pools with a serviceAllocation come before those without",
    pools: [lan, pool("zz", ["10.3.0.1/32"], prioritised())],
    gets: "10.3.0.1",
  },
  {
    row: "of those, the lowest priority above 0 comes first, 0 and none last",
    pools: [
      pool("a", ["10.3.0.1/32"], prioritised(0)),
      pool("b", ["10.3.0.2/32"], prioritised()),
      pool("c", ["10.3.0.3/32"], prioritised(9)),
      pool("d", ["10.3.0.4/32"], prioritised(2)),
    ],
    gets: "10.3.0.4",
  },
  {
    row: "equals go by namespace, then by name (MetalLB: at random)",
    pools: [pool("b/a", ["10.3.0.1/32"]), pool("a/b", ["10.3.0.2/32"]), pool("a/c", ["10.3.0.3/32"])],
    gets: "10.3.0.2",
  },
  {
    row: "pools that do not assign by themselves are left out",
    pools: [manual],
    warned: "gets an address as soon as a pool serves it, but none does",
  },
  {
    row: "pools for others are left out",
    pools: [others],
    warned: "gets an address as soon as a pool serves it, but none does",
  },
  {
    row: "within a pool, spec.addresses go in their order",
    pools: [pool("lan", ["10.0.9.0/24", "10.0.1.0/24"])],
    gets: "10.0.9.0",
  },
  { row: "within a range, the lowest: a network address too", pools: [pool("lan", ["10.0.0.0/24"])], gets: "10.0.0.0" },
  {
    row: "with avoidBuggyIPs no network or broadcast address",
    pools: [pool("lan", ["10.0.0.255-10.0.1.9"], { avoidBuggyIPs: true })],
    gets: "10.0.1.1",
  },
])("$row", async ({ one = {}, pools, gets, denied, warned }) => {
  const world = await worlds.open({ pools: pools ?? [], serviceCIDRs: [serviceCIDR("10.96.0.0/16", "fd96::/112")] });
  const outcome = await world.create(kinds.services, service(web, one));
  expect(outcome.denied ?? "").toContain(denied ?? "");
  expect(outcome.denied === undefined).toBe(denied === undefined);
  expect(outcome.warnings.join()).toContain(warned ?? "");
  expect(outcome.warnings).toHaveLength(warned === undefined ? 0 : 1);
  expect(world.annotationOf(web)).toBe(gets);
});

it("a pool that is full is passed over, and an address that is free again is the next to be given", async () => {
  const world = await worlds.open({
    pools: [pool("first", ["10.3.0.1/32", "10.3.0.5/32"], prioritised(1)), lan],
  });
  const create = async (name: string): Promise<string | undefined> => {
    await world.create(kinds.services, service(`default/${name}`));
    return world.annotationOf(`default/${name}`);
  };
  expect([await create("a"), await create("b"), await create("c")]).toEqual(["10.3.0.1", "10.3.0.5", "10.0.0.1"]);
  await pass(100);
  await world.delete(kinds.services, "default/a");
  await pass(2_100);
  expect(await create("d")).toBe("10.3.0.1");
});

it("the pool is named with its namespace where another namespace has one of its name", async () => {
  const world = await worlds.open({ pools: [lan] });
  await world.create(kinds.services, service(web));
  const named = (): string | undefined => world.service(web)?.metadata?.annotations?.[keys.fromPool];
  expect(named()).toBe("lan");
  await world.create(kinds.pools, pool("lab/lan", ["10.9.0.1-10.9.0.9"]));
  await pass(1_000);
  expect(named()).toBe("network/lan");
  await world.create(kinds.services, service("default/new", { annotations: { [keys.poolNew]: named() ?? "" } }));
  expect(world.service("default/new")?.metadata?.annotations?.[keys.fromPool]).toBe("network/lan");
  await world.delete(kinds.pools, "lab/lan");
  await pass(1_000);
  expect(named()).toBe("lan");
});
