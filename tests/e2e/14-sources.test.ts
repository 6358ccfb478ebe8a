/** Where an address comes from (§§4.2, 4.3 of MetalLB's rules), row by row, in kubectl's own answer. */
import { describe, expect, test } from "vitest";
import type { Service } from "../../cluster/kinds.ts";
import { givenAddress } from "./lab.ts";
import { wish, type Wish } from "./people.ts";
import { rowsIn, type RowPool } from "./rows.ts";

const room = rowsIn("sources", 98);

type Row = {
  readonly row: string;
  readonly pools: Readonly<Record<string, RowPool>>;
  readonly one?: Wish;
  readonly gets?: string;
  readonly denied?: string;
  readonly warned?: string;
};

const four = { addresses: ["$.1-$.9"] };
const six = { addresses: ["@::1-@::9"] };
const both = { addresses: ["$.101-$.109", "@::101-@::109"] };
const manual = { addresses: ["$.201-$.209"], autoAssign: false };
const chosen = { addresses: ["$.231-$.239"], priority: 1, serviceSelectors: [{ matchLabels: { tier: "web" } }] };
const sixOnly = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] };
const others = { addresses: ["$.211-$.219"], namespaces: ["elsewhere"] };
const pinned = (text: string, spec: object = {}): Wish => ({ annotations: wish.pin(text), spec: { ...spec } });
const stacked = (policy: string, ...families: readonly string[]) => ({
  ipFamilyPolicy: `${policy}DualStack`,
  ...(families.length > 0 && { ipFamilies: families }),
});

const rows: readonly Row[] = [
  { row: "a request: also of a pool on request", pools: { manual }, one: pinned("$.207"), gets: "$.207" },
  {
    row: "a request: not of a pool for others",
    pools: { four, others },
    one: pinned("$.217"),
    denied: "does not serve this namespace; ask for a free one such as $.1, ",
  },
  {
    row: "a request: of no other family than the Service's",
    pools: { four, six },
    one: pinned("@::1"),
    denied: "but has only IPv4",
  },
  {
    row: "a request: all of one pool",
    pools: { four, six },
    one: pinned("$.1,@::1", stacked("Require")),
    denied: 'for $.1 of IPAddressPool "sources/four" and @::1 of IPAddressPool "sources/six"',
  },
  { row: "a pool by name: also one on request", pools: { four, manual }, one: named("manual"), gets: "$.201" },
  {
    row: "a pool by name: not one for others",
    pools: { four, others },
    one: named("others"),
    denied: "does not serve this namespace",
  },
  {
    row: "a pool by name: none of another family",
    pools: { four, six },
    one: named("six"),
    warned: 'needs IPv4, but no pool for it has such addresses (IPAddressPool "sources/six")',
  },
  {
    row: "the lowest priority above 0 comes first, 0 and none last",
    pools: {
      a: { addresses: ["$.1/32"], priority: 0 },
      b: { addresses: ["$.2/32"] },
      c: { addresses: ["$.3/32"], priority: 9 },
      d: { addresses: ["$.4/32"], priority: 2 },
    },
    gets: "$.4",
  },
  {
    row: "equals go by name",
    pools: { c: { addresses: ["$.1/32"] }, b: { addresses: ["$.2/32"] }, d: { addresses: ["$.3/32"] } },
    gets: "$.2",
  },
  {
    row: "a pool for chosen Services comes before one for all",
    pools: { a: { addresses: ["$.1/32"], isForAll: true }, b: { addresses: ["$.2/32"] } },
    gets: "$.2",
  },
  {
    // By family, since the cluster has another pool of IPv4, which serves everybody.
    row: "no pool on request by itself",
    pools: { manual: { ...six, autoAssign: false } },
    one: { spec: sixOnly },
    warned: 'Service "sources/web" ',
  },
  {
    row: "a pool for Services with a label: one of them",
    pools: { four, chosen },
    one: { labels: { tier: "web", other: "x" } },
    gets: "$.231",
  },
  { row: "a pool for Services with a label: no other one", pools: { zz: four, chosen }, gets: "$.1" },
  {
    row: "a pool for Services with a label: no other one on request either",
    pools: { four, chosen },
    one: pinned("$.231"),
    denied: "does not serve Services with these labels; ask for a free one such as $.1, ",
  },
  {
    row: "a selector that matches no Service: nobody",
    pools: { none: { ...four, priority: 1, serviceSelectors: [{ matchLabels: { tier: "db" } }] }, zz: both },
    one: { labels: { tier: "web" } },
    gets: "$.101",
  },
  { row: "spec.addresses go in their order", pools: { lan: { addresses: ["$.8/30", "$.4/30"] } }, gets: "$.8" },
  { row: "the lowest is given, a network address too", pools: { lan: { addresses: ["$.0/24"] } }, gets: "$.0" },
  {
    row: "with avoidBuggyIPs no network address",
    pools: { lan: { addresses: ["$.0/24"], avoidBuggyIPs: true } },
    gets: "$.1",
  },
  {
    row: "with avoidBuggyIPs no network address on request either",
    pools: { lan: { addresses: ["$.0/24"], avoidBuggyIPs: true } },
    one: pinned("$.0"),
    denied: 'which IPAddressPool "sources/lan" keeps back (avoidBuggyIPs); ask for a free one such as $.1, ',
  },
  {
    row: "Require: both of one pool",
    pools: { four, six, both },
    one: { spec: stacked("Require") },
    gets: "$.101,@::101",
  },
  {
    row: "Require with IPv6 first: IPv4 first all the same",
    pools: { both },
    one: { spec: stacked("Require", "IPv6", "IPv4") },
    gets: "$.101,@::101",
  },
  {
    row: "Require with a ClusterIP of one's own: both",
    pools: { both },
    one: { spec: { ...stacked("Require"), clusterIP: "10.96.98.98" } },
    gets: "$.101,@::101",
  },
  {
    row: "Require and no pool with both: none yet",
    pools: { four, six },
    one: { spec: stacked("Require") },
    warned: "no pool for it has both families",
  },
  {
    row: "Prefer: both of the pool that has both",
    pools: { four, six, both },
    one: { spec: stacked("Prefer") },
    gets: "$.101,@::101",
  },
  {
    row: "Prefer and no pool with both: the first family",
    pools: { four, six },
    one: { spec: stacked("Prefer", "IPv6", "IPv4") },
    gets: "@::1",
  },
  {
    // By name, since the cluster has another pool of the first family, which serves everybody.
    row: "Prefer and no pool of the first family",
    pools: { six },
    one: { ...named("six"), spec: stacked("Prefer") },
    gets: "@::1",
  },
  {
    row: "SingleStack: one, also from a pool with both",
    pools: { both },
    one: { spec: sixOnly },
    gets: "@::101",
  },
  {
    row: "Prefer with one request: that one, and one of the other family",
    pools: { both },
    one: pinned("@::105", stacked("Prefer")),
    gets: "@::105,$.101",
  },
  {
    row: "two requests: in the order written",
    pools: { both },
    one: pinned("@::105,$.105", stacked("Require")),
    gets: "@::105,$.105",
  },
];

function named(pool: string): Wish {
  return { annotations: wish.pool(pool) };
}

describe("kubectl answers to a Service", () => {
  test.each(rows)("$row", async ({ pools, one = {}, gets = "", denied, warned }) => {
    const all = room();
    await all.begin(pools);
    if (denied !== undefined) {
      expect(await all.denied("web", one)).toContain(all.fill(denied));
      return;
    }
    const { address, warnings } = await all.apply("web", one);
    expect(address).toBe(all.fill(gets));
    expect(warnings.join()).toContain(all.fill(warned ?? ""));
    expect(warnings).toHaveLength(warned === undefined ? 0 : 1);
    await all.someone.waitFor("web", gets === "" ? "False" : "True");
    expect(await all.someone.shownOf("web")).toBe(all.fill(gets));
  });
});

test("a pool that is full is passed over, and what is free again is the next to be given", async () => {
  const all = room();
  await all.begin({ first: { addresses: ["$.1/32", "$.5/32"], priority: 1 }, lan: { addresses: ["$.101-$.109"] } });
  const given = [];
  for (const name of ["a", "b", "c"]) given.push((await all.apply(name)).address);
  expect(given).toEqual(all.fill(["$.1", "$.5", "$.101"]));
  await all.someone.forget("a");
  // Its own Service would still get it back before anybody else.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect((await all.apply("d")).address).toBe(all.fill("$.1"));
});

test("equals of two namespaces go by namespace, then by name", async () => {
  const all = room();
  const { kubectl } = all.someone.target;
  await kubectl(["create", "namespace", "a-sources"]);
  try {
    await all.begin({ a: { addresses: ["$.1/32"] } });
    const pool = { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool" };
    const serviceAllocation = { namespaces: ["sources"] };
    for (const [name, address] of [
      ["c", "$.3/32"],
      ["b", "$.2/32"],
    ])
      await all.someone.put(
        all.fill({
          ...pool,
          metadata: { namespace: "a-sources", name },
          spec: { addresses: [address], serviceAllocation },
        }),
      );
    const given = [];
    for (const name of ["first", "second", "third"]) given.push((await all.apply(name)).address);
    expect(given).toEqual(all.fill(["$.2", "$.3", "$.1"]));
  } finally {
    await all.clear();
    await kubectl(["delete", "namespace", "a-sources"]);
  }
});

test("a dry run is answered with the address that the apply after it is given", async () => {
  const all = room();
  await all.begin({ both });
  const wished = { spec: stacked("Require") };
  await all.apply("before", wished);
  const object = JSON.stringify(all.someone.service("web", wished));
  const dry = JSON.parse(
    await all.someone.target.kubectl(["apply", "--dry-run=server", "-o", "json", "-f", "-"], object),
  ) as Service;
  const { address, service } = await all.apply("web", wished);
  expect(givenAddress(dry)).toBe(all.fill("$.102,@::102"));
  expect(address).toBe(givenAddress(dry));
  expect(dry.metadata?.annotations).toEqual(service.metadata?.annotations);
});
