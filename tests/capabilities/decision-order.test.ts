/**
 * MetalLB's order of decisions for one Service (§4.1 of its rules), row by row: what its controller does with a Service as
 * it is stored, and here the watcher, with no admission before it. Where Berth's rule is another, Berth's.
 */
import { expect, test } from "vitest";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { claim, pool, service, serviceCIDR, type ServiceParts } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { lan, settled, web } from "../support/web.ts";
import { useWorlds, type Seed } from "../support/world.ts";

const worlds = useWorlds();

const dual = pool("dual", ["10.5.0.1-10.5.0.9", "fd05::1-fd05::9"]);
const narrow = pool("narrow", ["10.6.0.1/32"]);
const avoiding = pool("avoiding", ["10.7.0.0/24"], { avoidBuggyIPs: true });
const others = pool("others", ["10.8.0.1-10.8.0.9"], { serviceAllocation: { namespaces: ["elsewhere"] } });
const pinned = (text: string, spec: Record<string, unknown> = {}): ServiceParts => ({
  annotations: { [keys.pinNew]: text },
  spec,
});
const named = (name: string): ServiceParts => ({ annotations: { [keys.poolNew]: name } });
const policy = (ipFamilyPolicy: string, ...clusterIPs: readonly string[]): ServiceParts => ({
  spec: { ipFamilyPolicy, clusterIPs },
});
const bothIPs = ["10.96.0.9", "fd96::9"] as const;
/** What a Service is that Berth gave the addresses to. */
const given = (addresses: string, { annotations, spec }: ServiceParts = {}): ServiceParts => ({
  annotations: { ...annotations, [keys.addresses]: addresses, [keys.fromPool]: "lan" },
  status: addresses.split(","),
  ...(spec && { spec }),
});
/** What a Service is that MetalLB gave the addresses to. */
const had = (...status: readonly string[]): ServiceParts => ({ status });
const shared = (key: string): ServiceParts => ({ annotations: { [keys.shareNew]: key } });

type Row = {
  readonly row: string;
  readonly one: ServiceParts;
  readonly pools?: Seed["pools"];
  readonly among?: readonly Service[];
  readonly claims?: Seed["claims"];
  readonly to: string;
  /** The reason of its condition. */
  readonly reason: string;
  /** The reasons of its Events, by the alphabet: some are of one moment. */
  readonly events: readonly string[];
};
const [IP_ALLOCATED, CLEARED, NOT_ALLOCATED] = ["IPAllocated", "ClearAssignment", "AllocationFailed"] as const;

test.each<Row>([
  { row: "2: no pool at all", one: {}, pools: [], to: "", reason: "NoPools", events: [NOT_ALLOCATED] },
  {
    row: "2: no pool any more",
    one: given("10.0.0.5"),
    pools: [],
    to: "",
    reason: "NoPools",
    events: [CLEARED, NOT_ALLOCATED],
  },
  {
    row: "3: no ClusterIP yet (MetalLB: nothing)",
    one: {},
    to: "10.0.0.1",
    reason: keys.assigned,
    events: [IP_ALLOCATED],
  },
  {
    row: "3: the ClusterIP None",
    one: { spec: { clusterIP: "None", clusterIPs: ["None"] } },
    to: "",
    reason: "Headless",
    events: [NOT_ALLOCATED],
  },
  {
    row: "4: RequireDualStack with one ClusterIP, and a pool of both families (MetalLB: not enough clusterips)",
    one: policy("RequireDualStack", "10.96.0.9"),
    pools: [dual],
    to: "10.5.0.1,fd05::1",
    reason: keys.assigned,
    events: [IP_ALLOCATED],
  },
  {
    row: "4: RequireDualStack with one ClusterIP, and no pool of both families",
    one: policy("RequireDualStack", "10.96.0.9"),
    to: "",
    reason: "NoPoolForFamily",
    events: [NOT_ALLOCATED],
  },
  {
    row: "5: three addresses: the first that it may have",
    one: had("10.0.0.6", "10.0.0.5", "10.0.0.7"),
    to: "10.0.0.6",
    reason: keys.assigned,
    events: [CLEARED, IP_ALLOCATED],
  },
  {
    row: "5: two of one family: the first",
    one: had("10.0.0.6", "10.0.0.5"),
    to: "10.0.0.6",
    reason: keys.assigned,
    events: [CLEARED, IP_ALLOCATED],
  },
  {
    row: "6: of the other family than the Service",
    one: had("fd05::1"),
    pools: [lan, dual],
    to: "10.5.0.1",
    reason: keys.assigned,
    events: [CLEARED, IP_ALLOCATED],
  },
  {
    row: "6: of one family, for PreferDualStack with two ClusterIPs: stays",
    one: { ...policy("PreferDualStack", ...bothIPs), ...had("10.0.0.6") },
    to: "10.0.0.6",
    reason: keys.assigned,
    events: [],
  },
  {
    row: "7: of no pool",
    one: given("10.9.9.9"),
    to: "10.0.0.1",
    reason: keys.assigned,
    events: [CLEARED, IP_ALLOCATED],
  },
  {
    row: "7: of no pool, from before Berth (MetalLB: another)",
    one: had("10.9.9.9"),
    to: "10.9.9.9",
    reason: "AddressOfNoPool",
    events: [NOT_ALLOCATED],
  },
  {
    row: "7: one that its pool avoids",
    one: given("10.7.0.0"),
    pools: [avoiding],
    to: "10.7.0.1",
    reason: keys.assigned,
    events: [CLEARED, IP_ALLOCATED],
  },
  {
    row: "7: of a pool that may not serve the Service",
    one: given("10.8.0.1"),
    pools: [lan, others],
    to: "10.0.0.1",
    reason: keys.assigned,
    events: [CLEARED, IP_ALLOCATED],
  },
  {
    row: "7: one that another Service has claimed",
    one: given("10.0.0.1"),
    among: [service("default/db", given("10.0.0.1"))],
    claims: [claim("10.0.0.1", "default/db")],
    to: "10.0.0.2",
    reason: keys.assigned,
    events: [CLEARED, IP_ALLOCATED],
  },
  {
    row: "7: one that it may not share",
    one: given("10.0.0.1", shared("mine")),
    among: [service("default/db", given("10.0.0.1", shared("theirs")))],
    claims: [claim("10.0.0.1", "default/db")],
    to: "10.0.0.2",
    reason: keys.assigned,
    events: [CLEARED, IP_ALLOCATED],
  },
  {
    row: "8: of another pool than the one that is named",
    one: given("10.0.0.1", named("dual")),
    pools: [lan, dual],
    to: "10.5.0.1",
    reason: keys.assigned,
    events: [CLEARED, IP_ALLOCATED],
  },
  ...[
    { what: "that is no address", parts: pinned("10.0.0.300"), reason: "MalformedPin" },
    { what: "of two kinds", parts: pinned("10.0.0.5", { loadBalancerIP: "10.0.0.6" }), reason: "PinnedTwice" },
    { what: "of the other family", parts: pinned("fd05::5"), reason: "WrongFamilyPin" },
  ].map(({ what, parts, reason }) => ({
    row: `9: a request ${what}: keeps what it has`,
    one: given("10.0.0.3", parts),
    pools: [lan, dual],
    to: "10.0.0.3",
    reason,
    events: ["LoadBalancerFailed"],
  })),
  {
    row: "10: a request for another that is free",
    one: given("10.0.0.3", pinned("10.0.0.5")),
    to: "10.0.0.5",
    reason: keys.assigned,
    events: [CLEARED, IP_ALLOCATED],
  },
  {
    row: "10: a request for what is not to be had: keeps what it has (MetalLB: none)",
    one: given("10.0.0.3", pinned("10.9.9.9")),
    to: "10.0.0.3",
    reason: "OutsidePools",
    events: [NOT_ALLOCATED],
  },
  {
    row: "11: PreferDualStack with one of two, and its pool has the other family",
    one: given("10.5.0.3", policy("PreferDualStack", ...bothIPs)),
    pools: [dual],
    to: "10.5.0.3,fd05::1",
    reason: keys.assigned,
    events: [IP_ALLOCATED],
  },
  {
    row: "11: PreferDualStack with one of two, and its pool has none",
    one: given("10.0.0.3", policy("PreferDualStack", ...bothIPs)),
    pools: [lan, dual],
    to: "10.0.0.3",
    reason: keys.assigned,
    events: [],
  },
  {
    row: "12: nothing free",
    one: {},
    pools: [narrow],
    among: [service("default/db", given("10.6.0.1"))],
    claims: [claim("10.6.0.1", "default/db")],
    to: "",
    reason: "PoolsFull",
    events: [NOT_ALLOCATED],
  },
  { row: "13: the lowest free one", one: {}, to: "10.0.0.1", reason: keys.assigned, events: [IP_ALLOCATED] },
])("$row", async ({ one, pools = [lan], among = [], claims = [], to, reason, events }) => {
  const world = await worlds.open({
    pools,
    claims,
    services: [...among, service(web, one)],
    serviceCIDRs: [serviceCIDR("10.96.0.0/16", "fd96::/112")],
  });
  expect((await settled(world)).status).toBe(to);
  expect(world.conditionOf(web)).toMatch(new RegExp(`^${to === "" ? "False" : "True"} ${reason}: `));
  expect(
    world
      .events(web)
      .map((event) => event.split(":")[0])
      .toSorted(),
  ).toEqual(events.toSorted());
  const fromPool = world.service(web)?.metadata?.annotations?.[keys.fromPool];
  expect(fromPool === undefined).toBe(to === "" || reason === "AddressOfNoPool");
  const { resourceVersion } = world.store;
  await pass(700_000);
  expect(world.store.resourceVersion).toBe(resourceVersion);
});

test("1: a Service that is no LoadBalancer has neither address, annotation, condition nor claim", async () => {
  const world = await worlds.open({ pools: [lan] });
  await world.create(kinds.services, service(web));
  await pass(1_000);
  world.isWebhookUp = false;
  await world.change(kinds.services, web, { spec: { type: "ClusterIP" } });
  expect(await settled(world)).toEqual({ status: "", claims: [] });
  expect(world.service(web)?.metadata?.annotations ?? {}).toEqual({});
  expect(world.conditionOf(web)).toBeUndefined();
});
