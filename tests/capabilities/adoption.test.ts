/** Services that had addresses before Berth, and those of other classes: none changes, and none is moved without a word. */
import { describe, expect, it, test } from "vitest";
import type { IPAddressPool } from "../../cluster/crd.ts";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { claim, pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { annotate, at, lan, settled, web } from "../support/web.ts";
import { useWorlds, type Seed } from "../support/world.ts";

const worlds = useWorlds();

const homelab = pool("homelab-pool", ["192.168.1.200-192.168.1.220"]);
const open = (seed: Seed = { pools: [homelab] }) => worlds.open(seed);
const created = (day: number) => ({ metadata: { creationTimestamp: `2025-12-0${String(day)}T00:00:00Z` } });
const stack = { ipFamilies: ["IPv4", "IPv6"], clusterIPs: ["10.96.0.9", "fd96::9"] };

describe("Services that had their addresses before Berth", () => {
  it("keep them, and nobody else is given one", async () => {
    const world = await open({
      pools: [homelab],
      services: [
        service("default/web", { status: ["192.168.1.207"] }),
        service("default/dns", { status: ["192.168.1.200"] }),
        service("default/new"),
      ],
    });
    expect(world.claims()).toEqual([
      "192.168.1.200 default/dns",
      "192.168.1.201 default/new",
      "192.168.1.207 default/web",
    ]);
    expect(["web", "dns"].map((name) => world.statusOf(`default/${name}`))).toEqual([
      ["192.168.1.207"],
      ["192.168.1.200"],
    ]);
    expect(world.annotationOf("default/web")).toBe("192.168.1.207");
  });

  it("keep one that no pool has", async () => {
    const world = await open({
      pools: [homelab],
      services: [service("kube-system/traefik", { status: ["172.16.0.9"] })],
    });
    await world.create(kinds.pools, pool("late", ["172.16.0.0/24"]));
    await world.create(kinds.services, service("default/web", { pin: "172.16.0.1" }));
    await pass(1_000);
    expect(world.claims()).toContain("172.16.0.9 kube-system/traefik");
  });

  it.each([
    { first: "the list's first", older: "a", younger: "z" },
    { first: "the list's last", older: "z", younger: "a" },
  ])(
    "leave a doubled one to the older Service, and the other is told and not moved, be it $first",
    async ({ older, younger }) => {
      const world = await open({
        pools: [homelab],
        services: [
          service(`default/${older}`, { status: ["192.168.1.207"], ...created(1) }),
          service(`default/${younger}`, { status: ["192.168.1.207"], ...created(2) }),
        ],
      });
      await pass(1_000);
      expect(world.statusOf(`default/${older}`)).toEqual(["192.168.1.207"]);
      expect(world.statusOf(`default/${younger}`)).toEqual(["192.168.1.207"]);
      expect(world.annotationOf(`default/${younger}`)).toBeUndefined();
      expect(world.conditionOf(`default/${younger}`)).toBe(
        `False AddressDoubled: Service "default/${younger}" has 192.168.1.207 in its status, which Service "default/${older}" holds too; ask for another address in metallb.io/loadBalancerIPs, or give both the same metallb.io/allow-shared-ip`,
      );
      expect(world.claims()).toEqual([`192.168.1.207 default/${older}`]);
    },
  );

  it.each([
    { row: "in one namespace, the older first", keys: ["default/a", "default/b"] as const, first: 0 },
    { row: "in one namespace, the younger first", keys: ["default/a", "default/b"] as const, first: 1 },
    { row: "in two namespaces", keys: ["default/a", "team/b"] as const, first: 0 },
  ])("share a doubled one once they are given one key, as they were told: $row", async ({ keys: names, first }) => {
    const [older, younger] = names;
    const world = await open({
      pools: [homelab],
      services: [
        service(older, { status: ["192.168.1.207"], ...created(1) }),
        service(younger, { status: ["192.168.1.207"], spec: { ports: [{ port: 81 }] }, ...created(2) }),
      ],
    });
    await pass(1_000);
    for (const name of first === 0 ? names : [younger, older]) {
      const patch = { metadata: { annotations: { [keys.shareNew]: "k" } } };
      expect((await world.change(kinds.services, name, patch)).denied).toBeUndefined();
      await pass(1_000);
    }
    await pass(140_000);
    for (const name of names) {
      expect(world.statusOf(name)).toEqual(["192.168.1.207"]);
      expect(world.conditionOf(name)).toMatch(/^True Assigned/);
    }
    expect(world.claims()).toEqual([`192.168.1.207 ${older}+${younger}`]);
  });

  it("keep their address when it is asked for that they have another", async () => {
    const held = service("default/web", { pin: "10.9.9.9", status: ["192.168.1.207"] });
    const world = await open({ pools: [homelab], services: [held] });
    await pass(1_000);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.207"]);
    expect(world.conditionOf("default/web")).toMatch(/^True OutsidePools: Service "default\/web" asks for 10\.9\.9\.9/);
  });

  it("are written once: a restart of the watcher changes nothing", async () => {
    const world = await open({ pools: [homelab], services: [service("default/web", { status: ["192.168.1.207"] })] });
    await pass(1_000);
    const before = world.store.resourceVersion;
    const end = new AbortController();
    await world.startWatcher(end.signal);
    await pass(10_000);
    end.abort();
    expect(world.store.resourceVersion).toBe(before);
  });
});

describe("a Service that has one address of each of two pools", () => {
  const four = pool("four", ["10.4.0.1-10.4.0.9"]);
  const six = pool("six", ["fd06::1-fd06::9"]);
  const both = pool("zz-both", ["10.9.0.1-10.9.0.3", "fd09::1-fd09::3"]);

  test.each<{ policy: string; pools: readonly IPAddressPool[]; order: readonly string[]; first: string }>([
    { policy: "PreferDualStack", pools: [four, six], order: ["10.4.0.5", "fd06::5"], first: "four" },
    { policy: "PreferDualStack", pools: [four, six, both], order: ["fd06::5", "10.4.0.5"], first: "six" },
    { policy: "RequireDualStack", pools: [four, six, both], order: ["10.4.0.5", "fd06::5"], first: "four" },
  ])("keeps both: $policy, $order", async ({ policy, pools, order, first }) => {
    const spec = { ...stack, ipFamilyPolicy: policy };
    const world = await worlds.open({ pools, services: [service(web, { status: order, spec })] });
    expect(await settled(world)).toEqual(at(order.join()));
    expect(world.conditionOf(web)).toMatch(/^True Assigned/);
    expect(world.service(web)?.metadata?.annotations?.[keys.fromPool]).toBe(first);
    const labels = ["10.4.0.5", "fd06::5"].map((name) => world.store.get(kinds.claims, { name })?.metadata?.labels);
    expect(labels.map((one) => one?.[keys.claimPool])).toEqual(["four", "six"]);
    expect((await world.change(kinds.services, web, { metadata: { labels: { a: "b" } } })).denied).toBeUndefined();
    expect(await settled(world)).toEqual(at(order.join()));
  });

  it("keeps both when one pool is split into two", async () => {
    const whole = pool("whole", ["10.4.0.1-10.4.0.9", "fd06::1-fd06::9"]);
    const world = await worlds.open({ pools: [whole, both] });
    await world.create(kinds.services, service(web, { spec: { ...stack, ipFamilyPolicy: "RequireDualStack" } }));
    expect(await settled(world)).toEqual(at("10.4.0.1,fd06::1"));
    // At once, as whoever has the webhook away may do it; a change at a time would be denied.
    world.store.edit(
      kinds.pools,
      { namespace: "network", name: "whole" },
      { spec: { addresses: ["10.4.0.1-10.4.0.9"] } },
    );
    world.store.seed(kinds.pools, six);
    expect(await settled(world)).toEqual(at("10.4.0.1,fd06::1"));
  });
});

describe("a Service that has an address which another holder came to have", () => {
  it("is told where it is pinned to what an older one holds, and not moved", async () => {
    const world = await worlds.open({
      pools: [lan],
      services: [
        service("default/db", { pin: "10.0.0.5", status: ["10.0.0.5"], ...created(1) }),
        service(web, { pin: "10.0.0.5", status: ["10.0.0.5"], ...created(2) }),
      ],
    });
    await pass(70_000);
    expect(world.statusOf(web)).toEqual(["10.0.0.5"]);
    expect(world.conditionOf(web)).toMatch(/^False AddressDoubled/);
    expect(world.claims()).toEqual(["10.0.0.5 default/db"]);
  });

  it("is told where the older one is of another class, and not moved", async () => {
    const foreign = { status: ["10.0.0.5"], ...created(1), spec: { loadBalancerClass: "example.com/other" } };
    const world = await worlds.open({
      pools: [lan],
      services: [service("default/db", foreign), service(web, { status: ["10.0.0.5"], ...created(2) })],
    });
    await pass(70_000);
    expect(world.statusOf(web)).toEqual(["10.0.0.5"]);
    expect(world.conditionOf(web)).toBe(
      'False AddressDoubled: Service "default/web" has 10.0.0.5 in its status, which Service "default/db" holds too; ask for another address in metallb.io/loadBalancerIPs',
    );
    await world.change(kinds.services, web, annotate({ [keys.pinNew]: "10.0.0.7" }));
    expect(await settled(world)).toEqual(at("10.0.0.7"));
  });

  it("is told where it is reserved by hand, not moved, and has it once that is gone", async () => {
    const byHand = claim("10.0.0.5", "default/printer", "someone");
    const world = await worlds.open({
      pools: [lan],
      services: [service(web, { status: ["10.0.0.5"] })],
      claims: [byHand],
    });
    await pass(70_000);
    expect(world.statusOf(web)).toEqual(["10.0.0.5"]);
    expect(world.conditionOf(web)).toMatch(/^False AddressDoubled: .*made by hand for "default\/printer" holds too/);
    await world.delete(kinds.claims, "10.0.0.5");
    expect(await settled(world)).toEqual(at("10.0.0.5"));
    expect(world.conditionOf(web)).toMatch(/^True Assigned/);
  });
});

describe("a Service of a class that is not Berth's", () => {
  const foreign = { loadBalancerClass: "example.com/other" };

  it("keeps what another controller wrote on it, whatever of it changes", async () => {
    const annotations = { [keys.fromPool]: "first-pool" };
    const one = service("default/web", { status: ["10.5.0.1"], spec: foreign, annotations });
    const world = await open({ pools: [homelab], services: [one] });
    await world.change(kinds.services, "default/web", { metadata: { labels: { a: "b" } } });
    await pass(1_000);
    expect(world.service("default/web")?.metadata?.annotations).toEqual(annotations);
    expect(world.statusOf("default/web")).toEqual(["10.5.0.1"]);
  });

  it("leaves its address to one that waits", async () => {
    const world = await open({
      pools: [pool("one", ["10.0.0.1/32"])],
      services: [service("default/other", { status: ["10.0.0.1"], spec: foreign })],
    });
    await world.create(kinds.services, service("default/web"));
    await pass(1_000);
    expect(world.statusOf("default/web")).toEqual([]);
    await world.delete(kinds.services, "default/other");
    await pass(1_000);
    expect(world.statusOf("default/web")).toEqual(["10.0.0.1"]);
  });
});
