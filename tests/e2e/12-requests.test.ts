import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { pickList } from "../../hack/src/lab/json.ts";
import { lab, labApi } from "./lab.ts";
import { Person, poolOf, wish } from "./people.ts";
import { withoutWebhooks } from "./webhooks.ts";

const cell: { someone?: Person; isDualStack?: boolean } = {};
const someone = (): Person => cell.someone!;
/** What every sentence begins with. */
const says = (name: string, rest: string): string => `Service "requests/${name}" ${rest}`;
const advice = (free: string): string => `ask for a free one such as ${free}, or remove the annotation to be given one`;

beforeAll(async () => {
  cell.someone = new Person(await lab(), "requests");
  const cidrs = await (await labApi()).get(kinds.serviceCIDRs, { name: "kubernetes" });
  cell.isDualStack = (cidrs?.spec?.cidrs ?? []).length > 1;
  await someone().target.kubectl(["create", "namespace", "requests"]);
  await someone().put(poolOf("asked", ["10.95.0.0/28"]));
  await someone().put(poolOf("other", ["10.95.1.0/28", "fd00:95::/120"]));
});

afterAll(async () => {
  const { kubectl } = someone().target;
  await kubectl(["delete", "svc", "--all", "-n", "requests"]);
  for (const pool of ["asked", "other", "tiny"]) {
    await kubectl(["annotate", "ipaddresspool", pool, "-n", "metallb-system", "berth.dev/allow-renumbering=true"]);
    await kubectl(["delete", "ipaddresspool", pool, "-n", "metallb-system"]);
  }
  await kubectl(["delete", "namespace", "requests"]);
});

describe("a pin", () => {
  test.each([
    ["metallb.io/loadBalancerIPs", { annotations: { "metallb.io/loadBalancerIPs": "10.95.0.3" } }],
    ["metallb.universe.tf/loadBalancerIPs", { annotations: { "metallb.universe.tf/loadBalancerIPs": "10.95.0.3" } }],
    ["spec.loadBalancerIP", { spec: { loadBalancerIP: "10.95.0.3" } }],
  ])("in %s is in kubectl's answer", async (source, asked) => {
    const { address, warnings } = await someone().apply("pinned", asked);
    expect(address).toBe("10.95.0.3");
    const isOld = source.startsWith("metallb.universe.tf");
    const old = `has the annotation ${source} under MetalLB's old prefix, which it deprecates; write metallb.io/ instead`;
    expect(warnings).toEqual(isOld ? [says("pinned", old)] : []);
    await someone().delete("pinned");
  });

  test("under the new prefix wins over the old one, also where it is empty", async () => {
    const old = { "metallb.universe.tf/loadBalancerIPs": "10.95.0.5" };
    const both = await someone().apply("both", { annotations: { ...old, ...wish.pin("10.95.0.6") } });
    expect(both.address).toBe("10.95.0.6");
    const annotations = { ...old, ...wish.pin(""), ...wish.pool("asked") };
    expect((await someone().apply("empty", { annotations })).address).toBe("10.95.0.0");
    await someone().forget("both", "empty");
  });

  test("that another Service holds is denied, with its holder and a free address", async () => {
    await someone().apply("first", { annotations: wish.pin("10.95.0.5") });
    const said = await someone().denied("second", { annotations: wish.pin("10.95.0.5") });
    expect(said).toBe(
      says("second", `asks for 10.95.0.5, which Service "requests/first" holds; ${advice("10.95.0.0")}`),
    );
  });

  test("outside the pool that exists is denied, with its ranges", async () => {
    const annotations = { ...wish.pin("203.0.113.7"), ...wish.pool("asked") };
    expect(await someone().denied("outside", { annotations })).toBe(
      says(
        "outside",
        `asks for 203.0.113.7, which is outside IPAddressPool "metallb-system/asked" (10.95.0.0/28); ${advice("10.95.0.0")}`,
      ),
    );
  });

  test("outside every pool is denied", async () => {
    expect(await someone().denied("outside", { annotations: wish.pin("203.0.113.7") })).toContain(
      says("outside", "asks for 203.0.113.7, which is outside every pool: "),
    );
  });

  test("of another pool than the one named is denied", async () => {
    const annotations = { ...wish.pin("10.95.1.2"), ...wish.pool("asked") };
    expect(await someone().denied("elsewhere", { annotations })).toBe(
      says(
        "elsewhere",
        `asks for 10.95.1.2, which is in IPAddressPool "metallb-system/other", though it names the pool "asked"; ${advice("10.95.0.0")}`,
      ),
    );
  });

  test("of two addresses of one family is denied", async () => {
    expect(await someone().denied("two", { annotations: wish.pin("10.95.0.1", "10.95.0.2") })).toBe(
      says(
        "two",
        "asks in metallb.io/loadBalancerIPs for 10.95.0.1,10.95.0.2, all IPv4; ask for at most one address of each family",
      ),
    );
  });

  test("of one address of each family is in the answer, in the order written", async ({ skip }) => {
    if (cell.isDualStack !== true) skip("the lab has IPv4 alone");
    const annotations = wish.pin("fd00:95::7", "10.95.1.7");
    const spec = { ipFamilyPolicy: "RequireDualStack" };
    expect((await someone().apply("dual", { annotations, spec })).address).toBe("fd00:95::7,10.95.1.7");
  });

  test("on a ClusterIP is denied and names its Service, and nobody is given it either", async () => {
    const { target } = someone();
    // Such a pool is refused; this one was stored while nobody looked.
    const clusterIps = poolOf("clusterips", ["10.96.0.1/32", "10.98.0.0/32"]);
    expect(await someone().putDenied(clusterIps)).toContain("10.96.0.1");
    await withoutWebhooks(target, () => someone().put(clusterIps));
    const said = await someone().denied("thief", { annotations: wish.pin("10.96.0.1") });
    expect(said).toBe(
      says(
        "thief",
        `asks for 10.96.0.1, which Service "default/kubernetes" as its ClusterIP holds; ${advice("10.98.0.0")}`,
      ),
    );
    const { address } = await someone().apply("honest", { annotations: wish.pool("clusterips") });
    expect(address).toBe("10.98.0.0");
    await someone().forget("honest");
    await target.kubectl(["delete", "ipaddresspool", "clusterips", "-n", "metallb-system"]);
  });

  test("on an address that is reserved by hand is denied, and no other Service is given it", async () => {
    const parentRef = { resource: "configmaps", namespace: "requests", name: "printer" };
    const reserve = { apiVersion: "networking.k8s.io/v1", kind: "IPAddress", metadata: { name: "10.95.0.0" } };
    await someone().put({ ...reserve, spec: { parentRef } });
    const said = await someone().denied("thief", { annotations: wish.pin("10.95.0.0") });
    const holder = 'IPAddress "10.95.0.0", made by hand for "requests/printer"';
    expect(said).toBe(says("thief", `asks for 10.95.0.0, which ${holder} holds; ${advice("10.95.0.1")}`));
    const { address } = await someone().apply("next", { annotations: wish.pool("asked") });
    expect(address).toBe("10.95.0.1");
    await someone().target.kubectl(["delete", "ip", "10.95.0.0"]);
    await someone().delete("next");
  });
});

describe("a pool asked for", () => {
  test("by a bare name or by namespace/name is the one that serves", async () => {
    for (const name of ["other", "metallb-system/other"]) {
      const { address, service } = await someone().apply("named", { annotations: wish.pool(name) });
      expect(address).toBe("10.95.1.0");
      expect(service.metadata?.annotations?.["metallb.io/ip-allocated-from-pool"]).toBe("other");
      await someone().delete("named");
    }
  });

  test("by a name that two namespaces have is denied with both, and told apart by namespace/name", async () => {
    await someone().put(poolOf("requests/asked", ["10.95.2.0/28"]));
    expect(await someone().denied("named", { annotations: wish.pool("asked") })).toBe(
      says(
        "named",
        'asks for the pool "asked", a name that IPAddressPool "metallb-system/asked" and IPAddressPool "requests/asked" have; ask for one of them as namespace/name',
      ),
    );
    const { address } = await someone().apply("named", { annotations: wish.pool("requests/asked") });
    expect(address).toBe("10.95.2.0");
    await someone().delete("named");
    await expect
      .poll(async () => (await someone().target.tryKubectl(["get", "ip", "10.95.2.0"])).code, { timeout: 30_000 })
      .not.toBe(0);
    await someone().target.kubectl(["delete", "ipaddresspool", "asked", "-n", "requests"]);
  });

  test("that does not exist is a Warning, and serves the Service once it does", async () => {
    const { address, warnings } = await someone().apply("early", { annotations: wish.pool("later") });
    expect(address).toBe("");
    expect(warnings[0]).toContain(
      says("early", 'asks for the pool "later", which does not exist; create it, or ask for one that does ('),
    );
    await someone().waitFor("early", "False");
    expect(await someone().conditionOf("early")).toBe(`UnknownPool: ${warnings[0] ?? ""}`);
    await someone().put(poolOf("later", ["10.95.3.0/28"]));
    await someone().waitFor("early");
    expect(await someone().addressOf("early")).toBe("10.95.3.0");
    const reasons = async () => (await someone().eventsOf("early")).map((event) => event.split(":")[0]);
    await expect.poll(reasons, { timeout: 15_000 }).toEqual(["Warning AllocationFailed", "Normal IPAllocated"]);
    await someone().delete("early");
    await someone().target.kubectl([
      ...["annotate", "ipaddresspool", "later", "-n", "metallb-system", "berth.dev/allow-renumbering=true"],
    ]);
    await someone().target.kubectl(["delete", "ipaddresspool", "later", "-n", "metallb-system"]);
  });
});

describe("a full pool", () => {
  const annotations = wish.pool("tiny");
  const full =
    'gets an address as soon as one is free: IPAddressPool "metallb-system/tiny" is full (1 of 1 addresses in use); delete a Service that needs none, or add a range to a pool';

  beforeAll(async () => {
    await someone().put(poolOf("tiny", ["10.95.4.1/32"]));
    await someone().apply("only", { annotations });
  });

  test("lets a Service in with a Warning, and its condition and Event say the same", async () => {
    const { address, warnings } = await someone().apply("late", { annotations });
    expect([address, ...warnings]).toEqual(["", says("late", full)]);
    await someone().waitFor("late", "False");
    expect(await someone().conditionOf("late")).toBe(`PoolsFull: ${says("late", full)}`);
    await expect
      .poll(() => someone().eventsOf("late"), { timeout: 20_000 })
      .toEqual([`Warning AllocationFailed: ${says("late", full)}`]);
  });

  test("with BERTH_EXHAUSTION=deny it lets none in, and what waits already may still be changed", async () => {
    await setExhaustion("BERTH_EXHAUSTION=deny");
    try {
      expect(await someone().denied("later", { annotations })).toBe(says("later", full));
      const changed = await someone().apply("late", { annotations: { ...annotations, note: "hello" } });
      expect(changed.warnings).toEqual([says("late", full)]);
    } finally {
      await setExhaustion("BERTH_EXHAUSTION-");
    }
  });

  test("serves who waits when an address is freed", async () => {
    await someone().delete("only");
    await someone().waitFor("late");
    expect(await someone().conditionOf("late")).toBe('Assigned: 10.95.4.1 from IPAddressPool "metallb-system/tiny"');
  });
});

test("kubectl get ip shows each address with its Service", async () => {
  const lines = (await someone().target.kubectl(["get", "ip"])).split("\n").map((line) => line.split(/\s+/));
  expect(lines[0]?.slice(0, 2)).toEqual(["NAME", "PARENTREF"]);
  expect(lines.find(([name]) => name === "10.95.0.5")?.[1]).toBe("services/requests/first");
});

test("kubectl get svc shows the address as EXTERNAL-IP", async () => {
  await someone().waitFor("first");
  const lines = (await someone().target.kubectl(["get", "svc", "first", "-n", "requests"])).split("\n");
  expect(lines[1]?.split(/\s+/)[3]).toBe("10.95.0.5");
});

/** Sets or unsets the setting on the admission pods, as a person would. */
async function setExhaustion(text: string): Promise<void> {
  const { kubectl, json } = someone().target;
  await kubectl(["set", "env", "deployment/pepr-berth", "-n", "pepr-system", text]);
  await kubectl(["rollout", "status", "deployment/pepr-berth", "-n", "pepr-system", "--timeout=180s"]);
  const admission = ["get", "pods", "-n", "pepr-system", "-l", "pepr.dev/controller=admission"];
  await expect.poll(async () => pickList(await json(admission), "items").length, { timeout: 60_000 }).toBe(2);
}
