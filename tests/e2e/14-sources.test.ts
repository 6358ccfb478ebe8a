/** Where an address comes from (§§4.2, 4.3 of MetalLB's rules), row by row, in kubectl's own answer. */
import { describe, expect, test } from "vitest";
import { pickList } from "../../hack/src/lab/json.ts";
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
    one: { spec: { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] } },
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

describe("an address that a Node has by what its network plugin says", () => {
  const told = {
    "flannel.alpha.coreos.com/public-ip": "$.1",
    "projectcalico.org/IPv4Address": "$.2/24",
    "network.cilium.io/ipv4-cilium-host": "$.3",
    "k3s.io/external-ip": "$.4,@::4",
  };
  const annotate = (...words: readonly string[]) =>
    room().someone.target.kubectl(["annotate", "--overwrite", "node", "node-1", ...words]);
  const remove = () => annotate(...Object.keys(told).map((name) => `${name}-`));

  test("is not given, not even on request, while the Node has it", async () => {
    const all = room();
    await all.begin({ lan: { addresses: ["$.1-$.9", "@::4/128"] } });
    await annotate(...Object.entries(all.fill(told)).map(([name, text]) => `${name}=${text}`));
    try {
      await expect.poll(() => all.refusalOf("web", pinned("$.1"))).toContain('which Node "node-1" holds; ask for ');
      for (const address of ["$.2", "$.3", "$.4"])
        expect(await all.denied("web", pinned(address))).toBe(
          all.fill(
            `Service "sources/web" asks for ${address}, which Node "node-1" holds; ask for a free one such as $.5, or remove the annotation to be given one`,
          ),
        );
      const six = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] };
      expect(await all.denied("web", pinned("@::4", six))).toContain('which Node "node-1" holds; ');
      expect((await all.apply("web")).address).toBe(all.fill("$.5"));
    } finally {
      await remove();
    }
    await expect.poll(() => all.refusalOf("other", pinned("$.1"))).toBe("");
  });

  test("is given up by the Service that has it", async () => {
    const all = room();
    await all.begin({ lan: { addresses: ["$.1-$.9"] } });
    await all.apply("web");
    await all.someone.waitFor("web");
    await annotate(all.fill("flannel.alpha.coreos.com/public-ip=$.1"));
    try {
      await expect.poll(() => all.someone.shownOf("web"), { timeout: 20_000 }).toBe(all.fill("$.2"));
    } finally {
      await remove();
    }
  });
});

test("the gateway of a Node's pods is not given on request", async () => {
  const all = room();
  const { json, kubectl } = all.someone.target;
  const cidrs = async () => pickList(await json(["get", "node", "node-1"]), "spec", "podCIDRs").map(String);
  // The lab's nodes take their pods' ranges from the plugin's configuration alone, and no pod has an address of this one.
  const spec = { podCIDR: "10.244.98.0/24", podCIDRs: ["10.244.98.0/24"] };
  if ((await cidrs()).length === 0) await kubectl(["patch", "node", "node-1", "-p", JSON.stringify({ spec })]);
  const prefix = (await cidrs())[0]?.replace(/\.0\/.*$/, "") ?? "";
  await all.begin({ pods: { addresses: [`${prefix}.0/30`], autoAssign: false } });
  await expect
    .poll(() => all.refusalOf("web", pinned(`${prefix}.1`)))
    .toContain(`asks for ${prefix}.1, which Node "node-1" as the gateway of its pods holds; ask for `);
  expect((await all.apply("web", pinned(`${prefix}.2`))).address).toBe(`${prefix}.2`);
});

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
