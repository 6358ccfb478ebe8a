/** What is given in the answer to `kubectl apply` of a Service. */
import { describe, expect, it } from "vitest";
import { kinds, type ApiObject } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import {
  claim,
  namespace,
  pool,
  service,
  serviceCIDR,
  validateRequest,
  type ServiceParts,
} from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds, type Seed } from "../support/world.ts";

const worlds = useWorlds();

const homelab = pool("homelab-pool", ["192.168.1.200-192.168.1.220"]);
const open = (seed: Seed = { pools: [homelab] }) => worlds.open(seed);

describe("a Service that asks for nothing", () => {
  it("has its address in the answer, in its claim, and at once in its status", async () => {
    const world = await open();
    const { stored, warnings } = await world.create(kinds.services, service("default/web"));
    expect(stored?.metadata?.annotations).toEqual({
      "berth.dev/addresses": "192.168.1.200",
      "metallb.io/ip-allocated-from-pool": "homelab-pool",
    });
    expect(warnings).toEqual([]);
    expect(world.claims()).toEqual(["192.168.1.200 default/web"]);
    await pass(0);
    const assigned = '192.168.1.200 from IPAddressPool "network/homelab-pool"';
    expect(world.service("default/web")?.status?.loadBalancer?.ingress).toEqual([
      { ip: "192.168.1.200", ipMode: "VIP" },
    ]);
    expect(world.conditionOf("default/web")).toBe(`True Assigned: ${assigned}`);
    expect(world.events("default/web")).toEqual([`IPAllocated: Assigned ${assigned}`]);
  });

  it("gets another than the one created at the same time through another pod", async () => {
    const world = await open();
    const names = ["a", "b", "c", "d", "e", "f"];
    await Promise.all(names.map((name) => world.create(kinds.services, service(`default/${name}`))));
    const given = names.map((name) => world.annotationOf(`default/${name}`) ?? "");
    expect(new Set(given).size).toBe(names.length);
    for (const address of given) expect(address).toMatch(/^192\.168\.1\.2\d\d$/);
  });
});

describe("a Service that asks for an address", () => {
  it.each<{ how: string; parts: ServiceParts }>([
    { how: "in MetalLB's old annotation", parts: { pin: "192.168.1.205" } },
    { how: "in MetalLB's new annotation", parts: { annotations: { [keys.pinNew]: " 192.168.1.205 " } } },
    { how: "in spec.loadBalancerIP", parts: { spec: { loadBalancerIP: "192.168.1.205" } } },
  ])("gets it: $how", async ({ parts }) => {
    const world = await open();
    expect((await world.create(kinds.services, service("default/web", parts))).denied).toBeUndefined();
    expect(world.annotationOf("default/web")).toBe("192.168.1.205");
  });

  it("shares by a key under MetalLB's old prefix too; the new one wins, also where it is empty", async () => {
    const world = await open();
    const old = { [keys.shareOld]: "k" };
    const [http, https] = [{ ports: [{ port: 80 }] }, { ports: [{ port: 443 }] }];
    await world.create(kinds.services, service("default/a", { annotations: { [keys.shareNew]: "k" }, spec: http }));
    await world.create(kinds.services, service("default/b", { annotations: old, spec: https }));
    expect(world.annotationOf("default/b")).toBe(world.annotationOf("default/a"));
    const annotations = { ...old, [keys.shareNew]: "" };
    await world.create(kinds.services, service("default/c", { annotations, spec: https }));
    expect(world.annotationOf("default/c")).not.toBe(world.annotationOf("default/a"));
  });

  it("gets a port too where it lists none, and is told", async () => {
    const world = await open();
    const bare = service("default/my-service", { pin: "192.168.1.205", spec: { ports: undefined } });
    const { stored, warnings } = await world.create(kinds.services, bare);
    expect(stored?.spec?.ports).toEqual([{ name: "berth-default", port: 80, protocol: "TCP" }]);
    expect(warnings).toEqual([
      'Service "default/my-service" lists no ports, so that Berth added 80/TCP named "berth-default"; list the ports that it is to serve',
      `Service "default/my-service" has the annotation ${keys.pinOld} under MetalLB's old prefix, which it deprecates; write metallb.io/ instead`,
    ]);
    expect((await world.change(kinds.services, "default/my-service", { metadata: { labels: {} } })).warnings).toEqual(
      [],
    );
    await pass(1_000);
    expect(world.events("default/my-service")).toContain(
      "deprecatedAnnotation: Annotations that begin with metallb.universe.tf/ are deprecated; write metallb.io/ instead",
    );
  });
});

describe("a forged annotation", () => {
  it("is corrected when the Service is created", async () => {
    const world = await open();
    const { stored, denied } = await world.create(
      kinds.services,
      service("default/web", { addresses: "192.168.1.219" }),
    );
    expect([denied, stored?.metadata?.annotations?.[keys.addresses]]).toEqual([undefined, "192.168.1.200"]);
  });

  it("is taken off a Service that is not Berth's when it is one that was", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web"));
    const { stored } = await world.change(kinds.services, "default/web", {
      spec: { type: "ClusterIP" },
      metadata: { annotations: { [keys.addresses]: "192.168.1.219" } },
    });
    expect(stored?.metadata?.annotations?.[keys.addresses]).toBeUndefined();
  });

  it("that another webhook made after Berth's is denied", async () => {
    const world = await open({ pools: [homelab], claims: [claim("192.168.1.210", "default/db")] });
    const [binding] = (world.admission[0]?.parts ?? [])
      .flatMap(({ capability }) => capability.bindings)
      .filter(({ kind, isValidate }) => kind.kind === "Service" && isValidate === true);
    const answer = await binding?.validateCallback?.(
      validateRequest<ApiObject>(service("default/web", { addresses: "192.168.1.210" })),
    );
    expect(answer).toMatchObject({
      allowed: false,
      statusMessage:
        'Service "default/web" has 192.168.1.210 in its annotation berth.dev/addresses, which is not claimed for it; leave that annotation to Berth',
    });
  });
});

describe("a dry run", () => {
  it("says which address would be given and writes nothing", async () => {
    const world = await open();
    const before = world.store.resourceVersion;
    const { object, denied, warnings } = await world.admit({
      operation: "CREATE",
      plural: "services",
      object: service("default/web"),
      oldObject: undefined,
      user: "someone",
      isDryRun: true,
    });
    expect([object.metadata?.annotations, denied, warnings]).toEqual([
      { "berth.dev/addresses": "192.168.1.200", "metallb.io/ip-allocated-from-pool": "homelab-pool" },
      undefined,
      [],
    ]);
    await pass(100);
    expect(world.store.resourceVersion).toBe(before);
  });

  it("is denied as the request itself would be", async () => {
    const world = await open();
    const request = { operation: "CREATE", plural: "services", oldObject: undefined, user: "someone" } as const;
    const object = service("default/web", { pin: "10.9.9.9" });
    expect((await world.admit({ ...request, object, isDryRun: true })).denied).toContain("asks for 10.9.9.9");
  });
});

describe("a Service with generateName", () => {
  it("is admitted with a Warning, and gets its address once it has a name", async () => {
    const world = await open();
    const unnamed = service("default/", { metadata: { generateName: "web-" } });
    Reflect.deleteProperty(unnamed.metadata ?? {}, "name");
    const { stored, warnings } = await world.create(kinds.services, unnamed);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("has no address yet; it gets one within seconds, see kubectl describe");
    const name = stored?.metadata?.name ?? "";
    expect(name).toMatch(/^web-./);
    await pass(100);
    expect(world.annotationOf(`default/${name}`)).toBe("192.168.1.200");
    expect(world.claims()).toEqual([`192.168.1.200 default/${name}`]);
  });
});

describe("a Service of another kind", () => {
  it.each<{ what: string; spec: Record<string, unknown> }>([
    { what: "ClusterIP", spec: { type: "ClusterIP" } },
    { what: "another class", spec: { loadBalancerClass: "example.com/other" } },
  ])("is left alone: $what", async ({ spec }) => {
    const world = await open();
    const { stored, warnings } = await world.create(kinds.services, service("default/web", { spec }));
    await pass(100);
    expect([stored?.metadata?.annotations, warnings, world.claims()]).toEqual([undefined, [], []]);
    expect(world.service("default/web")).toEqual(stored);
  });

  it("of Berth's own class gets an address", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web", { spec: { loadBalancerClass: "berth.dev/berth" } }));
    expect(world.annotationOf("default/web")).toBe("192.168.1.200");
  });
});

describe("a Service of two families", () => {
  it("gets an address of each, IPv4 first, whatever the order of its families", async () => {
    const both = pool("both", ["10.0.0.1-10.0.0.9", "fd00::1-fd00::9"]);
    const world = await open({ pools: [both], serviceCIDRs: [serviceCIDR("10.96.0.0/16", "fd00:96::/112")] });
    const spec = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6", "IPv4"] };
    await world.create(kinds.services, service("default/web", { spec }));
    await pass(100);
    expect(world.annotationOf("default/web")).toBe("10.0.0.1,fd00::1");
    expect(world.statusOf("default/web")).toEqual(["10.0.0.1", "fd00::1"]);
    expect(world.claims()).toEqual(["10.0.0.1 default/web", "fd00::1 default/web"]);
  });
});

it("the labels of the namespace decide with a pool that selects by them", async () => {
  const serviceAllocation = { namespaceSelectors: [{ matchLabels: { zone: "dmz" } }] };
  const world = await open({
    pools: [pool("dmz", ["10.0.0.1-10.0.0.9"], { serviceAllocation }), homelab],
    namespaces: [namespace("edge", { zone: "dmz" }), namespace("default")],
  });
  await world.create(kinds.services, service("edge/a"));
  await world.create(kinds.services, service("default/b"));
  expect([world.annotationOf("edge/a"), world.annotationOf("default/b")]).toEqual(["10.0.0.1", "192.168.1.200"]);
});

describe("while the API server answers no calls", () => {
  it("a Service is admitted with a Warning in words, and served when it can be", async () => {
    let isAway = false;
    const world = await worlds.open(
      { pools: [homelab] },
      {
        hook: () => (call, run) =>
          isAway && ["create", "get", "merge"].includes(call.verb) ? Promise.reject(new Error("ETIMEDOUT")) : run(),
      },
    );
    isAway = true;
    const { denied, warnings } = await world.create(kinds.services, service("default/web"));
    expect([denied, warnings]).toEqual([
      undefined,
      ['Service "default/web" has no address yet; it gets one within seconds, see kubectl describe'],
    ]);
    await pass(1_000);
    isAway = false;
    await pass(6_000);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.200"]);
  });
});
