/** What Services of before Berth have of each other (§§5, 6 of MetalLB's rules): Berth changes none of it, and says what is wrong. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Api } from "../../cluster/api.ts";
import { kinds } from "../../cluster/kinds.ts";
import type { Finished } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";
import { claimsByService, lab, labApi, statusAddress } from "./lab.ts";
import { withoutOperator } from "./operator.ts";
import { Person, poolOf, wish, type Wish } from "./people.ts";

const NAMESPACES = ["adopted-a", "adopted-b", "adopted-c"] as const;
type Namespace = (typeof NAMESPACES)[number];
const cell: {
  meanwhile?: Readonly<Record<string, Finished>>;
  api?: Api;
  people?: Readonly<Record<Namespace, Person>>;
} = {};
const of = (namespace: Namespace): Person => cell.people![namespace];

/** A Service with a key, on a port that no other has. */
const party = (port: number): Wish => ({ annotations: wish.share("party"), spec: { ports: [{ port }] } });
const HELD = [
  { namespace: "adopted-a", name: "party", asks: party(53), ip: "10.90.0.5" },
  { namespace: "adopted-b", name: "party", asks: party(80), ip: "10.90.0.5" },
  { namespace: "adopted-c", name: "party", asks: party(443), ip: "10.90.0.5" },
  { namespace: "adopted-c", name: "old", asks: {}, ip: "10.90.0.7" },
  { namespace: "adopted-a", name: "young", asks: {}, ip: "10.90.0.7" },
  { namespace: "adopted-b", name: "stray", asks: {}, ip: "10.90.200.9" },
] as const;

beforeAll(async () => {
  const target = await lab();
  cell.api = await labApi();
  const people = NAMESPACES.map((namespace) => [namespace, new Person(target, namespace)] as const);
  cell.people = Object.fromEntries(people) as Record<Namespace, Person>;
  for (const namespace of NAMESPACES) await target.kubectl(["create", "namespace", namespace]);
  await of("adopted-a").put(poolOf("adopted", ["10.90.0.0/28"]));
  await withoutOperator(target, async () => {
    for (const one of HELD) await hold(one);
    await of("adopted-b").apply("new", { annotations: wish.pool("adopted") });
    cell.meanwhile = await changeConfiguration(target);
  });
}, 300_000);

afterAll(async () => {
  const { kubectl } = of("adopted-a").target;
  await kubectl(["delete", "namespace", ...NAMESPACES]);
  const pool = ["ipaddresspool", "adopted", "-n", "metallb-system"];
  await kubectl(["annotate", ...pool, "berth.dev/allow-renumbering=true"]);
  await kubectl(["delete", ...pool]);
});

/** What kubectl says to changes of pools and advertisements, by what is done. */
async function changeConfiguration({ tryKubectl }: Target): Promise<Readonly<Record<string, Finished>>> {
  const create = (kind: string, spec: object) => {
    const metadata = { namespace: "adopted-a", name: "meanwhile" };
    return tryKubectl(
      ["create", "-f", "-"],
      JSON.stringify({ apiVersion: "metallb.io/v1beta1", kind, metadata, spec }),
    );
  };
  return {
    "a pool that is made": await create("IPAddressPool", { addresses: ["10.90.1.0/28"] }),
    "a pool that is changed": await tryKubectl([
      ...["label", "ipaddresspool", "adopted", "-n", "metallb-system", "seen=true"],
    ]),
    "a pool that is deleted": await tryKubectl(["delete", "ipaddresspool", "adopted", "-n", "metallb-system"]),
    "an advertisement that is made": await create("L2Advertisement", {}),
  };
}

/** Makes a Service as another load balancer leaves it: with an address in its status, and younger than those before it. */
async function hold({ namespace, name, asks, ip }: (typeof HELD)[number]): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // the API server counts ages in seconds
  await of(namespace).apply(name, asks);
  await cell.api!.merge(
    kinds.services,
    { namespace, name },
    { status: { loadBalancer: { ingress: [{ ip }] } } },
    "status",
  );
}

const addressOf = async (namespace: string, name: string): Promise<string> =>
  statusAddress(await cell.api!.get(kinds.services, { namespace, name }));
const claimsOf = async (key: string): Promise<readonly string[]> =>
  ((await claimsByService(cell.api!)).get(key) ?? []).map(({ metadata }) => metadata?.name ?? "");

test.each(["a pool that is made", "a pool that is changed", "a pool that is deleted", "an advertisement that is made"])(
  "while no admission pod is there, %s is refused",
  (what) => {
    const { code, stderr } = cell.meanwhile![what]!;
    expect(code).not.toBe(0);
    expect(stderr).toContain('failed calling webhook "configuration.berth.dev"');
    expect(stderr).toContain('no endpoints available for service "pepr-berth"');
  },
);

test("nobody's address changes, and the next is given of what is left", async () => {
  await of("adopted-b").waitFor("new");
  expect(await of("adopted-b").shownOf("new")).toBe("10.90.0.0");
  for (const { namespace, name, ip } of HELD) expect(await addressOf(namespace, name)).toBe(ip);
});

describe("Services of several namespaces that share an address", () => {
  test("have one claim, which names them all", async () => {
    for (const namespace of NAMESPACES) {
      await of(namespace).waitFor("party");
      expect(await claimsOf(`${namespace}/party`)).toEqual(["10.90.0.5"]);
      expect(await of(namespace).addressOf("party")).toBe("10.90.0.5");
    }
  });

  test("go on sharing it when they are changed, with a Warning", async () => {
    const { annotations, spec = {} } = party(8080);
    const { address, warnings } = await of("adopted-b").apply("party", {
      annotations: { ...annotations, note: "x" },
      spec,
    });
    expect(address).toBe("10.90.0.5");
    expect(warnings.join()).toContain("10.90.0.5");
    expect(warnings).toHaveLength(1);
  });

  test("let nobody of another namespace in, but of their own", async () => {
    const { kubectl } = of("adopted-a").target;
    await kubectl(["create", "namespace", "adopted-d"]);
    try {
      const pin = {
        annotations: { ...wish.share("party"), ...wish.pin("10.90.0.5") },
        spec: { ports: [{ port: 25 }] },
      };
      const said = await new Person(of("adopted-a").target, "adopted-d").denied("party", pin);
      expect(said).toContain("it is in another namespace, and the pool has no annotation");
    } finally {
      await kubectl(["delete", "namespace", "adopted-d"]);
    }
  });

  test("keep it when one of them leaves, and when their claim is deleted by hand", async () => {
    await of("adopted-a").delete("party");
    await expect.poll(() => claimsOf("adopted-a/party"), { timeout: 20_000 }).toEqual([]);
    await of("adopted-a").target.kubectl(["delete", "ip", "10.90.0.5"]);
    for (const namespace of ["adopted-b", "adopted-c"] as const) {
      await expect.poll(() => claimsOf(`${namespace}/party`), { timeout: 20_000 }).toEqual(["10.90.0.5"]);
      expect(await of(namespace).shownOf("party")).toBe("10.90.0.5");
    }
  });
});

test("a status that is sent along with a new Service lets it in nowhere", async () => {
  const target = of("adopted-a").target;
  const mallory = new Person(target, "adopted-e");
  await target.kubectl(["create", "namespace", "adopted-e"]);
  try {
    const asks = { annotations: { ...wish.share("party"), ...wish.pool("adopted") }, spec: { ports: [{ port: 26 }] } };
    const status = { loadBalancer: { ingress: [{ ip: "10.90.0.5" }] } };
    await target.kubectl(["create", "-f", "-"], JSON.stringify({ ...mallory.service("party", asks), status }));
    await mallory.waitFor("party");
    expect(await mallory.addressOf("party")).not.toBe("10.90.0.5");
    expect(await claimsOf("adopted-e/party")).toEqual([await mallory.addressOf("party")]);
  } finally {
    await target.kubectl(["delete", "namespace", "adopted-e"]);
  }
});

describe("a Service whose address no pool has", () => {
  test("keeps it, has it claimed, and is told", async () => {
    await of("adopted-b").waitFor("stray");
    expect(await claimsOf("adopted-b/stray")).toEqual(["10.90.200.9"]);
    expect(await of("adopted-b").conditionOf("stray")).toBe(
      'AddressOfNoPool: Service "adopted-b/stray" goes on with 10.90.200.9, which it had before Berth and no IPAddressPool has; add that to a pool, or name a pool in the annotation metallb.io/address-pool to be moved',
    );
  });

  test("until it names a pool", async () => {
    const { address } = await of("adopted-b").apply("stray", { annotations: wish.pool("adopted") });
    expect(address).toMatch(/^10\.90\.0\./);
    await expect.poll(() => claimsOf("adopted-b/stray"), { timeout: 20_000 }).toEqual([address]);
  });
});

describe("two Services that have one address and do not share it", () => {
  const says =
    'Service "adopted-a/young" has 10.90.0.7 in its status, which Service "adopted-c/old" holds too; ask for another address in metallb.io/loadBalancerIPs, or give both the same metallb.io/allow-shared-ip';

  test("keep it, the older one by a claim", async () => {
    await of("adopted-c").waitFor("old");
    expect([await claimsOf("adopted-c/old"), await claimsOf("adopted-a/young")]).toEqual([["10.90.0.7"], []]);
    expect(await of("adopted-c").addressOf("old")).toBe("10.90.0.7");
    expect(await of("adopted-a").addressOf("young")).toBe("");
  });

  test("and the younger one is told, by its condition, an Event, and whenever it is applied", async () => {
    await of("adopted-a").waitFor("young", "False");
    expect(await of("adopted-a").conditionOf("young")).toBe(`AddressDoubled: ${says}`);
    await expect
      .poll(() => of("adopted-a").eventsOf("young"), { timeout: 20_000 })
      .toEqual([expect.stringContaining(says)]);
    const { warnings } = await of("adopted-a").apply("young", { annotations: { note: "x" } });
    expect(warnings).toEqual([says]);
    expect(await of("adopted-a").shownOf("young")).toBe("10.90.0.7");
  });

  test("until it asks for another", async () => {
    expect((await of("adopted-a").apply("young", { annotations: wish.pin("10.90.0.9") })).address).toBe("10.90.0.9");
    await of("adopted-a").waitFor("young");
    expect(await of("adopted-a").shownOf("young")).toBe("10.90.0.9");
    expect(await of("adopted-c").shownOf("old")).toBe("10.90.0.7");
  });
});
