/** What becomes of a Service's address with each change, row by row; where Berth's rule is another than MetalLB's, Berth's. */
import { describe, expect, it, test } from "vitest";
import { kinds, parseKey, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { annotate, at, dmz, lan, last, openWith, settled, web } from "../support/web.ts";
import { useWorlds } from "../support/world.ts";

const worlds = useWorlds();

describe("of the Service", () => {
  test.each<{ row: string; from?: Service; change: object; to: string }>([
    { row: "type to ClusterIP: released", change: { spec: { type: "ClusterIP" } }, to: "" },
    { row: "type to NodePort: released", change: { spec: { type: "NodePort" } }, to: "" },
    {
      row: "type to ExternalName: released",
      change: { spec: { type: "ExternalName", externalName: "example.com" } },
      to: "",
    },
    {
      row: "type to ClusterIP, with Berth's class, which the API server takes off: released",
      from: service(web, { spec: { loadBalancerClass: "berth.dev/berth" } }),
      change: { spec: { type: "ClusterIP", loadBalancerClass: null } },
      to: "",
    },
    {
      row: "class to Berth's own: stays",
      change: { spec: { type: "LoadBalancer", loadBalancerClass: "berth.dev/berth" } },
      to: "10.0.0.1",
    },
    { row: "pool annotation added: moved", change: annotate({ [keys.poolNew]: "dmz" }), to: "10.1.0.1" },
    {
      row: "pool annotation added that names its pool: stays",
      change: annotate({ [keys.poolNew]: "lan" }),
      to: "10.0.0.1",
    },
    {
      row: "pool annotation as namespace/name: moved",
      change: annotate({ [keys.poolNew]: "network/dmz" }),
      to: "10.1.0.1",
    },
    {
      row: "pool annotation changed: moved",
      from: service(web, { annotations: { [keys.poolNew]: "dmz" } }),
      change: annotate({ [keys.poolNew]: "lan" }),
      to: "10.0.0.1",
    },
    {
      row: "pool annotation removed: stays",
      from: service(web, { annotations: { [keys.poolNew]: "dmz" } }),
      change: annotate({ [keys.poolNew]: null }),
      to: "10.1.0.1",
    },
    {
      row: "old pool annotation, hidden by an empty new one: stays",
      from: service(web, { annotations: { [keys.poolOld]: "dmz" } }),
      change: annotate({ [keys.poolNew]: "" }),
      to: "10.1.0.1",
    },
    { row: "loadBalancerIPs added: moved", change: annotate({ [keys.pinNew]: "10.0.0.7" }), to: "10.0.0.7" },
    { row: "loadBalancerIPs with blanks: moved", change: annotate({ [keys.pinNew]: " 10.0.0.7 " }), to: "10.0.0.7" },
    {
      row: "loadBalancerIPs in an IPv6-mapped form: moved",
      change: annotate({ [keys.pinNew]: "::ffff:10.0.0.7" }),
      to: "10.0.0.7",
    },
    {
      row: "loadBalancerIPs of a pool on request: moved",
      change: annotate({ [keys.pinNew]: "10.1.0.7" }),
      to: "10.1.0.7",
    },
    {
      row: "loadBalancerIPs with its own address: stays",
      change: annotate({ [keys.pinNew]: "10.0.0.1" }),
      to: "10.0.0.1",
    },
    {
      row: "loadBalancerIPs removed: stays",
      from: service(web, { pin: "10.0.0.7" }),
      change: annotate({ [keys.pinOld]: null }),
      to: "10.0.0.7",
    },
    {
      row: "loadBalancerIPs hidden by an empty new one: stays",
      from: service(web, { pin: "10.0.0.7" }),
      change: annotate({ [keys.pinNew]: "" }),
      to: "10.0.0.7",
    },
    { row: "loadBalancerIP added: moved", change: { spec: { loadBalancerIP: "10.0.0.7" } }, to: "10.0.0.7" },
    {
      row: "ports, selector and policy: stays",
      change: { spec: { ports: [{ port: 81 }], selector: { a: "b" }, externalTrafficPolicy: "Local" } },
      to: "10.0.0.1",
    },
    { row: "a sharing key added: stays", change: annotate({ [keys.shareNew]: "k" }), to: "10.0.0.1" },
    // MetalLB takes the address back where a request can't be served.
    { row: "a pin outside every pool: denied, stays", change: annotate({ [keys.pinNew]: "10.9.9.9" }), to: "10.0.0.1" },
    { row: "a pin that is none: denied, stays", change: annotate({ [keys.pinNew]: "10.0.0.300" }), to: "10.0.0.1" },
    {
      row: "a pin written twice: denied, stays",
      change: annotate({ [keys.pinNew]: "10.0.0.7,10.0.0.7" }),
      to: "10.0.0.1",
    },
    { row: "a pin with a hole: denied, stays", change: annotate({ [keys.pinNew]: "10.0.0.7,," }), to: "10.0.0.1" },
    { row: "a pin of the other family: denied, stays", change: annotate({ [keys.pinNew]: "fd00::1" }), to: "10.0.0.1" },
    {
      row: "a pin in another pool than the named: denied, stays",
      change: annotate({ [keys.pinNew]: "10.1.0.7", [keys.poolNew]: "lan" }),
      to: "10.0.0.1",
    },
    {
      row: "two pins that differ: denied, stays",
      change: { ...annotate({ [keys.pinNew]: "10.0.0.7" }), spec: { loadBalancerIP: "10.0.0.8" } },
      to: "10.0.0.1",
    },
    {
      row: "a pool that does not exist: denied, stays",
      change: annotate({ [keys.poolNew]: "nowhere" }),
      to: "10.0.0.1",
    },
    {
      row: "a second family that no pool has: denied, stays",
      change: { spec: { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] } },
      to: "10.0.0.1",
    },
  ])("$row", async ({ row, from, change, to }) => {
    const world = await openWith(worlds, from);
    const before = world.service(web);
    const { denied } = await world.change(kinds.services, web, change);
    expect(denied !== undefined).toBe(row.includes("denied"));
    if (denied !== undefined) expect(world.service(web)).toEqual(before);
    expect(await settled(world)).toEqual(at(to));
    if (to === "") expect(world.conditionOf(web)).toBeUndefined();
  });

  it("deletion releases the address, and one that waits for it gets it", async () => {
    const world = await openWith(worlds, service(web), { pools: [pool("one", ["10.0.0.1/32"])] });
    await world.create(kinds.services, service("default/waits"));
    await pass(100);
    expect(world.conditionOf("default/waits")).toMatch(/^False PoolsFull/);
    await world.delete(kinds.services, web);
    await pass(2_100);
    expect(world.claims()).toEqual(["10.0.0.1 default/waits"]);
    expect(world.events("default/waits").map((event) => event.split(":")[0])).toEqual([
      "AllocationFailed",
      "IPAllocated",
    ]);
  });

  it("a class of another takes the address away, and Berth's words with it", async () => {
    const world = await openWith(worlds);
    await world.change(kinds.services, web, { spec: { type: "ClusterIP" } });
    await world.change(kinds.services, web, { spec: { type: "LoadBalancer", loadBalancerClass: "example.com/other" } });
    expect(await settled(world)).toEqual(at(""));
    const ingress = [{ ip: "10.0.0.1" }];
    world.store.edit(kinds.services, parseKey(web), { status: { loadBalancer: { ingress } } });
    await pass(70_000);
    expect(world.statusOf(web)).toEqual(["10.0.0.1"]);
    expect(world.annotationOf(web)).toBeUndefined();
    expect(
      (await world.create(kinds.services, service("default/other"))).stored?.metadata?.annotations?.[keys.addresses],
    ).toBe("10.0.0.2");
  });

  it("is deleted with finalizers: keeps the address until it is gone", async () => {
    const world = await openWith(worlds);
    world.store.edit(kinds.services, parseKey(web), { metadata: { deletionTimestamp: "2026-01-01T12:00:00Z" } });
    await pass(70_000);
    expect(await settled(world)).toEqual(at("10.0.0.1"));
    const patch = { metadata: { finalizers: null } };
    expect((await world.change(kinds.services, web, patch)).denied).toBeUndefined();
    await world.delete(kinds.services, web);
    await pass(2_100);
    expect(world.claims()).toEqual([]);
  });
});

describe("of status.ingress by hand", () => {
  const ingressOf = (...ips: readonly string[]): object => ({
    status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
  });

  test.each<{ row: string; patch: object }>([
    { row: "another address of the pool, which is free", patch: ingressOf("10.0.0.5") },
    { row: "an address of no pool", patch: ingressOf("1.2.3.4") },
    { row: "three addresses", patch: ingressOf("10.0.0.5", "10.0.0.6", "10.0.0.7") },
    { row: "its own in an IPv6-mapped form", patch: ingressOf("::ffff:10.0.0.1") },
    { row: "emptied", patch: { status: { loadBalancer: null } } },
    { row: "a hostname", patch: { status: { loadBalancer: { ingress: [{ hostname: "example.com" }] } } } },
    { row: "the whole status gone", patch: { status: null } },
  ])("$row: the Service's own comes back", async ({ patch }) => {
    const world = await openWith(worlds);
    world.store.edit(kinds.services, parseKey(web), patch);
    expect(await settled(world)).toEqual(at("10.0.0.1"));
    expect(world.conditionOf(web)).toMatch(/^True Assigned/);
  });

  test.each<{ row: string; status: readonly string[]; to: string }>([
    { row: "an address in a pool and free: adopted", status: ["10.1.0.5"], to: "10.1.0.5" },
    {
      row: "three addresses: the first that it may have",
      status: ["10.0.0.6", "10.0.0.5", "10.0.0.7"],
      to: "10.0.0.6",
    },
    { row: "an address of the other family: replaced", status: ["fd00::1"], to: "10.0.0.1" },
    { row: "an IPv6-mapped address: adopted in its canonical form", status: ["::ffff:10.0.0.5"], to: "10.0.0.5" },
    { row: "an address of no pool: kept", status: ["1.2.3.4"], to: "1.2.3.4" },
  ])("on a Service of before Berth, $row", async ({ status, to }) => {
    const world = await worlds.open({ pools: [lan, dmz, last], services: [service(web, { status })] });
    expect(await settled(world)).toEqual(at(to));
  });
});

describe("an address that a Service gave up a moment ago", () => {
  test.each<{ row: string; change: object }>([
    { row: "asking for another", change: annotate({ [keys.pinNew]: "10.0.0.7" }) },
    { row: "becoming a ClusterIP", change: { spec: { type: "ClusterIP" } } },
  ])("by $row is there for another that asks for it", async ({ change }) => {
    const world = await openWith(worlds, service(web, { annotations: { [keys.pinNew]: "10.0.0.5" } }));
    await world.change(kinds.services, web, change);
    await pass(300);
    const other = service("default/other", { annotations: { [keys.pinNew]: "10.0.0.5" } });
    expect((await world.create(kinds.services, other)).denied).toBeUndefined();
    await pass(70_000);
    expect(world.statusOf("default/other")).toEqual(["10.0.0.5"]);
    expect(world.statusOf(web)).not.toContain("10.0.0.5");
  });
});
