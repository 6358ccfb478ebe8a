/** The change matrix (§4.4 of MetalLB's rules), row by row, against the real API server; what 13 tells as stories is left out. */
import { describe, expect, test } from "vitest";
import { wish, type Wish } from "./people.ts";
import { rowsIn, type RowPool } from "./rows.ts";

const rows = rowsIn("matrix", 99);

const renumbering = { "berth.dev/allow-renumbering": "true" };
const lan: RowPool = { addresses: ["$.1-$.9"] };
const later: RowPool = { addresses: ["$.201-$.209"], autoAssign: false };
const both: RowPool = { addresses: ["$.101-$.109", "@::101-@::109"] };

const settlesAt = (addresses: string): Promise<void> => rows().settlesAt("web", addresses);
const staysAt = (addresses: string): Promise<void> => rows().staysAt("web", addresses);

describe("a Service that changes", () => {
  type Row = {
    readonly row: string;
    readonly pools: Readonly<Record<string, RowPool>>;
    readonly from?: Wish;
    readonly change: Wish;
    readonly to?: string;
    readonly denied?: string;
  };
  const isRequired = { ipFamilyPolicy: "RequireDualStack" };
  const isPreferred = { ipFamilyPolicy: "PreferDualStack" };

  test.each<Row>([
    { row: "its type to NodePort: released", pools: { lan }, change: { spec: bare("NodePort") }, to: "" },
    {
      row: "its type to ClusterIP, with Berth's class: released",
      pools: { lan },
      from: { spec: { loadBalancerClass: "berth.dev/berth" } },
      change: { spec: bare("ClusterIP") },
      to: "",
    },
    {
      row: "its ports, selector and policy: stays",
      pools: { lan },
      change: { spec: { ports: [{ port: 81 }], selector: { a: "b" }, externalTrafficPolicy: "Local" } },
      to: "$.1",
    },
    {
      row: "its pin to its own address: stays",
      pools: { lan },
      change: { annotations: wish.pin("$.1") },
      to: "$.1",
    },
    {
      row: "its pool annotation by an empty one: stays",
      pools: { lan, later },
      from: { annotations: wish.pool("later") },
      change: { annotations: wish.pool("") },
      to: "$.201",
    },
    {
      row: "its policy to Require where its pool has both: the second comes",
      pools: { both },
      change: { spec: isRequired },
      to: "$.101,@::101",
    },
    {
      row: "its policy to Require where no pool has both: denied, stays",
      pools: { lan },
      change: { spec: isRequired },
      denied: "no pool for it has both families",
      to: "$.1",
    },
    {
      row: "its policy to Prefer where no pool has both: stays",
      pools: { lan },
      change: { spec: isPreferred },
      to: "$.1",
    },
    {
      row: "its policy back to SingleStack: keeps that of its first family",
      pools: { both },
      from: { spec: isRequired },
      change: { spec: { ipFamilyPolicy: "SingleStack" } },
      to: "$.101",
    },
    {
      row: "its families to one, IPv6 being its first: keeps that of IPv6",
      pools: { both },
      from: { spec: { ...isRequired, ipFamilies: ["IPv6", "IPv4"] } },
      change: { spec: { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] } },
      to: "@::101",
    },
    {
      row: "its families to one while it pins both: denied, stays",
      pools: { both },
      from: { annotations: wish.pin("$.105", "@::105"), spec: isRequired },
      change: { annotations: wish.pin("$.105", "@::105"), spec: { ipFamilyPolicy: "SingleStack" } },
      denied: "but has only IPv4",
      to: "$.105,@::105",
    },
    {
      row: "its families to one, and its pins with them: keeps that one",
      pools: { both },
      from: { annotations: wish.pin("$.105", "@::105"), spec: isRequired },
      change: { annotations: wish.pin("$.105"), spec: { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] } },
      to: "$.105",
    },
  ])("$row", async ({ pools, from = {}, change, to = "", denied }) => {
    await rows().begin(pools);
    await rows().apply("web", from);
    await rows().someone.waitFor("web");
    if (denied === undefined) await rows().apply("web", change);
    else expect(await rows().denied("web", change)).toContain(denied);
    await settlesAt(to);
  });
});

function bare(type: string): Wish["spec"] & object {
  return { type, allocateLoadBalancerNodePorts: null };
}

describe("a pool that changes", () => {
  type Row = {
    readonly row: string;
    readonly lan?: RowPool;
    readonly change: RowPool;
    readonly to: string;
    readonly denied?: true;
  };
  const inUse = 'IPAddressPool "matrix/lan" would lose $.1 (Service "matrix/web"), which is in use; ';

  test.each<Row>([
    { row: "by more addresses, lower ones too: stays", change: { addresses: ["$.0-$.99"] }, to: "$.1" },
    { row: "in its priority: stays", change: { ...lan, priority: 9 }, to: "$.1" },
    { row: "to autoAssign false: stays", change: { ...lan, autoAssign: false }, to: "$.1" },
    { row: "to fewer addresses: denied", change: { addresses: ["$.5-$.9"] }, to: "$.1", denied: true },
    { row: "to another namespace's: denied", change: { ...lan, namespaces: ["elsewhere"] }, to: "$.1", denied: true },
    {
      row: "to another namespace's, with leave to renumber: moved",
      lan: { ...lan, annotations: renumbering },
      change: { ...lan, namespaces: ["elsewhere"], annotations: renumbering },
      to: "$.221",
    },
    {
      row: "to Services with another label: denied",
      change: { ...lan, serviceSelectors: [{ matchLabels: { tier: "db" } }] },
      to: "$.1",
      denied: true,
    },
    {
      row: "to Services with another label, with leave to renumber: moved",
      lan: { ...lan, annotations: renumbering },
      change: { ...lan, serviceSelectors: [{ matchLabels: { tier: "db" } }], annotations: renumbering },
      to: "$.221",
    },
    {
      row: "to avoidBuggyIPs: denied",
      lan: { addresses: ["$.0-$.9"] },
      change: { addresses: ["$.0-$.9"], avoidBuggyIPs: true },
      to: "$.0",
      denied: true,
    },
    {
      row: "to avoidBuggyIPs, with leave to renumber: moved",
      lan: { addresses: ["$.0-$.9"], annotations: renumbering },
      change: { addresses: ["$.0-$.9"], avoidBuggyIPs: true, annotations: renumbering },
      to: "$.1",
    },
    {
      row: "by the other family, for a Service that prefers both: the second comes",
      change: { addresses: ["$.1-$.9", "@::1-@::9"] },
      to: "$.1,@::1",
    },
  ])("$row", async ({ lan: before = lan, change, to, denied }) => {
    await rows().begin({ lan: before, zz: { addresses: ["$.221-$.229"] } });
    await rows().apply("web", { spec: { ipFamilyPolicy: "PreferDualStack" } });
    await rows().someone.waitFor("web");
    if (denied === undefined) await rows().put("lan", change);
    else
      expect(await rows().putDenied("lan", change)).toContain(
        rows()
          .fill(inUse)
          .replace(".1 (", `${to.slice(1)} (`),
      );
    await staysAt(to);
  });

  test.each<{ row: string; policy: string; to: string }>([
    { row: "Prefer: keeps the one that is left", policy: "PreferDualStack", to: "$.101" },
    { row: "Require: moves where both are", policy: "RequireDualStack", to: "$.111,@::111" },
  ])("by the loss of a family, with leave to renumber, for a Service with $row", async ({ policy, to }) => {
    const next: RowPool = { addresses: ["$.111-$.119", "@::111-@::119"] };
    await rows().begin({ both: { ...both, annotations: renumbering }, next });
    const { address } = await rows().apply("web", { spec: { ipFamilyPolicy: policy } });
    expect(address).toBe(rows().fill("$.101,@::101"));
    await rows().put("both", { addresses: ["$.101-$.109"], annotations: renumbering });
    await staysAt(to);
  });

  test("by another one's coming that has both families: who prefers both stays", async () => {
    await rows().begin({ lan });
    await rows().apply("web", { spec: { ipFamilyPolicy: "PreferDualStack" } });
    await rows().put("both", both);
    await staysAt("$.1");
  });

  test("by another name under which it serves others: moved", async () => {
    await rows().begin({ lan: { ...lan, annotations: renumbering }, zz: { addresses: ["$.221-$.229"] } });
    await rows().apply("web");
    await rows().someone.waitFor("web");
    await rows().someone.target.kubectl(["delete", "ipaddresspool", "lan", "-n", "matrix"]);
    await rows().put("home", { ...lan, namespaces: ["elsewhere"] });
    await settlesAt("$.221");
  });

  test("by the deletion of the last one that serves a Service: taken away, and the Service is told", async () => {
    const six: RowPool = { addresses: ["@::1-@::9"] };
    const spec = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] };
    await rows().begin({ six: { ...six, annotations: renumbering } });
    await rows().apply("web", { spec });
    const { someone } = rows();
    await someone.waitFor("web");
    await someone.target.kubectl(["delete", "ipaddresspool", "six", "-n", "matrix"]);
    await someone.waitFor("web", "False");
    await settlesAt("");
    // Other rows had a Service of this name before; the last two may be of one millisecond.
    const last = async () => (await someone.eventsOf("web")).slice(-3).map((event) => event.split(":")[0]);
    const either = ["Normal ClearAssignment", "Normal IPAllocated", "Warning AllocationFailed"];
    await expect.poll(async () => (await last()).toSorted(), { timeout: 20_000 }).toEqual(either);
    await rows().put("later", six);
    await settlesAt("@::1");
  });

  test("by a split: stays, and its annotation names the new pool", async () => {
    await rows().begin({ lan: { ...lan, annotations: renumbering } });
    await rows().apply("web");
    await rows().put("lan", { addresses: ["$.5-$.9"], annotations: renumbering });
    await rows().put("low", { addresses: ["$.1-$.4"] });
    const named = async () => {
      const { target, namespace } = rows().someone;
      const pool = "jsonpath={.metadata.annotations.metallb\\.io/ip-allocated-from-pool}";
      return target.kubectl(["get", "svc", "web", "-n", namespace, "-o", pool]);
    };
    await expect.poll(named, { timeout: 30_000 }).toBe("low");
    await settlesAt("$.1");
  });

  test("and would take six addresses is denied with five of them and the count", async () => {
    await rows().begin({ lan });
    for (const name of ["a", "b", "c", "d", "e", "f"]) await rows().apply(name);
    const says = (await rows().putDenied("lan", { addresses: ["$.9/32"] })).split("; ")[0];
    const lost = ["a", "b", "c", "d", "e"].map((name, index) => `$.${String(index + 1)} (Service "matrix/${name}")`);
    const sentence = `IPAddressPool "matrix/lan" would lose ${lost.join(", ")} and 1 more, which are in use`;
    expect(says).toBe(rows().fill(sentence));
  });

  test("by the deletion of its namespace: gone, and its Service is told", async () => {
    await rows().begin({});
    const { someone } = rows();
    const { kubectl } = someone.target;
    await kubectl(["create", "namespace", "doomed"]);
    const pool = { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool" };
    const metadata = { namespace: "doomed", name: "doomed" };
    await someone.put({ ...pool, metadata, spec: { addresses: ["10.99.250.1-10.99.250.9"], autoAssign: false } });
    await rows().apply("web", { annotations: wish.pool("doomed") });
    await kubectl(["delete", "namespace", "doomed", "--timeout=60s"]);
    await someone.waitFor("web", "False");
    await settlesAt("");
    const reasons = async () => (await someone.eventsOf("web")).map((event) => event.split(":")[0]);
    await expect
      .poll(reasons, { timeout: 15_000 })
      .toEqual(expect.arrayContaining(["Normal ClearAssignment", "Warning AllocationFailed"]));
  });
});

describe("status.ingress that is edited by hand", () => {
  test.each([
    ["another free address of the pool", { ingress: [{ ip: "$.7" }] }],
    ["an address of no pool", { ingress: [{ ip: "198.18.0.1" }] }],
    ["emptied", null],
  ])("%s: the Service's own comes back", async (_, loadBalancer) => {
    await rows().begin({ lan });
    await rows().apply("web");
    await rows().someone.waitFor("web");
    const patch = JSON.stringify(rows().fill({ status: { loadBalancer } }));
    const svc = ["patch", "svc", "web", "-n", "matrix", "--subresource=status", "--type=merge", "-p", patch];
    await rows().someone.target.kubectl(svc);
    await settlesAt("$.1");
  });
});

test("a claim that is damaged by hand names its Service again", async () => {
  await rows().begin({ lan });
  await rows().apply("web", { annotations: wish.share("k") });
  await rows().someone.waitFor("web");
  const { kubectl } = rows().someone.target;
  const address = rows().fill("$.1");
  await kubectl(["annotate", "--overwrite", "ip", address, "berth.dev/sharers=?"]);
  const sharers = () => kubectl(["get", "ip", address, "-o", "jsonpath={.metadata.annotations.berth\\.dev/sharers}"]);
  await expect.poll(sharers, { timeout: 20_000 }).toContain('"service":"matrix/web"');
  await settlesAt("$.1");
});
