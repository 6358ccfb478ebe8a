import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pickList, pickText } from "../../hack/src/lab/json.ts";
import type { Target } from "../../hack/src/target.ts";
import { advertisementRejections, poolRejections, TAKEN } from "../support/rejections.ts";
import { lab, loadBalancer } from "./lab.ts";
import { metallbShapes } from "./metallb-shapes.ts";
import { withoutWebhooks } from "./webhooks.ts";

const cell: { target?: Target; webhooks?: string } = {};
const target = (): Target => cell.target!;
const apply = (object: object | string, ...more: readonly string[]) =>
  target().kubectl(["apply", "-f", "-", ...more], typeof object === "string" ? object : JSON.stringify(object));

const pool = (name: string, addresses: readonly string[], more: { spec?: object; annotations?: object } = {}) => ({
  apiVersion: "metallb.io/v1beta1",
  kind: "IPAddressPool",
  metadata: { namespace: "pools", name, annotations: more.annotations ?? {} },
  spec: { addresses, autoAssign: false, ...more.spec },
});
const advertisement = (name: string, spec: object) => ({
  apiVersion: "metallb.io/v1beta1",
  kind: "L2Advertisement",
  metadata: { namespace: "pools", name },
  spec,
});

beforeAll(async () => {
  cell.target = await lab();
  for (const namespace of ["pools", "pools-lab"]) await target().kubectl(["create", "namespace", namespace]);
  const taken = pool("taken", [TAKEN]);
  await apply({ ...taken, metadata: { namespace: "pools-lab", name: "taken" } });
});

afterAll(async () => {
  await target().kubectl(["delete", "namespace", "pools", "pools-lab", "--timeout=120s"]);
});

/** What kubectl prints for an object that is refused. */
async function refusal(object: object): Promise<string> {
  const { code, stderr } = await target().tryKubectl(["apply", "-f", "-"], JSON.stringify(object));
  expect(code).not.toBe(0);
  return stderr.trim();
}

const denied = (sentence: string): string =>
  `Error from server: error when creating "STDIN": admission webhook "configuration.berth.dev" denied the request: ${sentence}`;

describe("kubectl prints why an IPAddressPool is denied for", () => {
  test.each(poolRejections)("$rule", async ({ addresses = ["10.92.0.0/24"], spec, metadata, says, schema }) => {
    const said = await refusal(pool("lan", addresses, { ...(spec && { spec }), ...metadata }));
    if (schema === undefined) expect(said).toBe(denied(`IPAddressPool "pools/lan" ${says}`));
    else expect(said).toContain(schema);
  });
});

describe("kubectl prints why an L2Advertisement is denied for", () => {
  test.each(advertisementRejections)("$rule", async ({ spec, says, schema }) => {
    const said = await refusal(advertisement("l2", spec));
    if (schema === undefined) expect(said).toBe(denied(`L2Advertisement "pools/l2" ${says}`));
    else expect(said).toContain(schema);
  });
});

const readyOf = (kind: string, name: string): Promise<string> =>
  target().kubectl([
    ...["get", kind, name, "-n", "pools", "-o"],
    'jsonpath={.status.conditions[?(@.type=="berth.dev/Ready")].status} {.status.conditions[?(@.type=="berth.dev/Ready")].reason}',
  ]);

test("what is missing is a Warning and a condition, and kubectl can wait for it", async () => {
  const named = JSON.stringify(advertisement("early", { ipAddressPools: ["late"] }));
  // A person would try again too: what fails closed is refused while its webhook can't be reached.
  const said = async (): Promise<string> => (await target().tryKubectl(["apply", "-f", "-"], named)).stderr.trim();
  await expect
    .poll(said, { timeout: 30_000, interval: 500 })
    .toBe(
      'Warning: L2Advertisement "pools/early" names in spec.ipAddressPools "late", which does not exist; create it or correct the name',
    );
  await expect.poll(() => readyOf("l2advertisement", "early"), { timeout: 10_000 }).toBe("False MissingPools");
  await apply(pool("late", ["10.91.7.0/28"]));
  const wait = ["wait", "--for=condition=berth.dev/Ready", "-n", "pools", "--timeout=10s"];
  await target().kubectl([...wait, "l2advertisement/early", "ipaddresspool/late"]);
});

/** The counters as the API server stores them, digit by digit. */
const countersOf = (name: string): Promise<string> =>
  target().kubectl([
    ...["get", "ipaddresspool", name, "-n", "pools", "-o"],
    "jsonpath={.status.assignedIPv4} {.status.availableIPv4} {.status.assignedIPv6} {.status.availableIPv6}",
  ]);
const soon = (name: string) => expect.poll(() => countersOf(name), { timeout: 10_000, interval: 100 });

describe("the status of a pool", () => {
  test("counts to the largest int64, follows Services, and is put back after an edit", async () => {
    await apply(pool("counted", ["10.91.1.0/28", "fd91::/64"]));
    await soon("counted").toBe("0 16 0 9223372036854775807");
    await apply(loadBalancer("pools", "web", { "metallb.io/address-pool": "counted" }));
    await soon("counted").toBe("1 15 0 9223372036854775807");
    const wrong = '{"status":{"assignedIPv4":99,"availableIPv4":0}}';
    const edit = [
      "patch",
      "ipaddresspool",
      "counted",
      "-n",
      "pools",
      "--subresource=status",
      "--type=merge",
      "-p",
      wrong,
    ];
    await target().kubectl(edit);
    await soon("counted").toBe("1 15 0 9223372036854775807");
    await target().kubectl(["delete", "svc", "web", "-n", "pools"]);
    await soon("counted").toBe("0 16 0 9223372036854775807");
  });

  test("leaves out an address that somebody reserved by hand", async () => {
    await apply(pool("reserved", ["10.91.2.0/30"]));
    const printer = { group: "", resource: "configmaps", namespace: "pools", name: "printer" };
    const reservation = { metadata: { name: "10.91.2.1" }, spec: { parentRef: printer } };
    await apply({ apiVersion: "networking.k8s.io/v1", kind: "IPAddress", ...reservation });
    await soon("reserved").toBe("0 3 0 0");
    await target().kubectl(["delete", "ipaddress", "10.91.2.1"]);
    await soon("reserved").toBe("0 4 0 0");
  });

  test("is written by a manager of its own and few times", async () => {
    const managers = await target().kubectl([
      ...["get", "ipaddresspool", "counted", "-n", "pools", "--show-managed-fields", "-o"],
      'jsonpath={.metadata.managedFields[?(@.subresource=="status")].manager}',
    ]);
    expect(managers.split(" ")).toContain("berth-status");
  });
});

test("the columns are MetalLB's", async () => {
  await apply(pool("columns", ["10.91.3.1-10.91.3.9", "fd92::/120"], { spec: { avoidBuggyIPs: true } }));
  await apply(advertisement("columns", { ipAddressPools: ["columns"], interfaces: ["lan0"] }));
  const table = async (kind: string, ...more: readonly string[]) =>
    (await target().kubectl(["get", kind, "columns", "-n", "pools", ...more]))
      .trim()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
  expect(await table("ipaddresspool")).toEqual([
    ["NAME", "AUTO ASSIGN", "AVOID BUGGY IPS", "ADDRESSES"],
    ["columns", "false", "true", '["10.91.3.1-10.91.3.9","fd92::/120"]'],
  ]);
  const [[...heads] = [], cells] = await table("l2advertisement", "-o", "wide");
  expect(heads).toEqual(["NAME", "IPADDRESSPOOLS", "IPADDRESSPOOL SELECTORS", "INTERFACES", "NODE SELECTORS"]);
  expect(cells?.slice(0, 2)).toEqual(["columns", '["columns"]']);
});

describe("a pool that was stored while the webhook was away", () => {
  test("is stored whatever is wrong with it", async () => {
    await withoutWebhooks(target(), async () => {
      await apply(pool("younger", ["10.91.0.0/24"]));
      await apply(pool("broken", ["nonsense"]));
      await apply(pool("on-nodes", ["172.30.0.8/29"]));
    });
  });

  test.each([
    ["younger", "False Overlaps"],
    ["broken", "False Malformed"],
    ["on-nodes", "True ContainsNodeAddresses"],
  ])("%s says so in its condition: %s", async (name, condition) => {
    await expect.poll(() => readyOf("ipaddresspool", name), { timeout: 10_000 }).toBe(condition);
  });

  test("is told once by an Event, counts nothing and gives nothing", async () => {
    expect(await countersOf("younger")).toBe("0 0 0 0");
    const told = async (): Promise<readonly string[]> => {
      const answer = await target().json(["get", "events.v1.events.k8s.io", "-n", "pools"]);
      const about = pickList(answer, "items").filter((event) => pickText(event, "regarding", "name") === "younger");
      return about.map((event) => `${pickText(event, "reason")}: ${pickText(event, "note")}`);
    };
    // No status waits for an Event, and one that fails is tried again.
    await expect
      .poll(told, { timeout: 15_000 })
      .toEqual([
        'PoolInert: IPAddressPool "pools/younger" has 10.91.0.0/24, which overlaps 10.91.0.8/29 of IPAddressPool "pools-lab/taken"; keep each address in one pool',
      ]);
    const { stderr } = await target().tryKubectl(
      ["apply", "-f", "-"],
      JSON.stringify(loadBalancer("pools", "hopeful", { "metallb.io/address-pool": "younger" })),
    );
    expect(stderr).toContain('asks for IPAddressPool "pools/younger", which gives no addresses as it is');
    await target().kubectl(["delete", "svc", "hopeful", "-n", "pools"]);
  });

  test("and holds addresses of Nodes gives the others, and a pin to a Node's address is denied by the Node's name", async () => {
    const pin = { "metallb.io/loadBalancerIPs": "172.30.0.11" };
    expect(await refusal(loadBalancer("pools", "bad", pin))).toContain('which Node "node-1" holds');
    const named = loadBalancer("pools", "good", { "metallb.io/address-pool": "on-nodes" });
    expect(await apply(named, "-o", "jsonpath={.metadata.annotations.berth\\.dev/addresses}")).toBe("172.30.0.8");
    await target().kubectl(["delete", "svc", "good", "-n", "pools"]);
  });

  test("may be labelled, with a Warning, and repaired", async () => {
    const label = ["label", "ipaddresspool", "younger", "-n", "pools", "seen=true"];
    const { code, stderr } = await target().tryKubectl(label);
    expect(code).toBe(0);
    expect(stderr).toContain('Warning: IPAddressPool "pools/younger" has 10.91.0.0/24, which overlaps');
    await apply(pool("younger", ["10.91.9.0/24"]));
    await expect.poll(() => readyOf("ipaddresspool", "younger"), { timeout: 10_000 }).toBe("True Usable");
  });

  test("may be deleted", async () => {
    await target().kubectl(["delete", "ipaddresspool", "broken", "on-nodes", "-n", "pools"]);
  });
});

test.each(Object.entries(metallbShapes))("MetalLB's shape applies unchanged: %s", async (_, yaml) => {
  const { code, stderr } = await target().tryKubectl(["apply", "-n", "pools", "-f", "-"], yaml);
  expect(stderr.split("\n").filter((line) => line !== "" && !line.startsWith("Warning: "))).toEqual([]);
  expect(code).toBe(0);
  await target().kubectl(["delete", "-n", "pools", "-f", "-"], yaml);
});
