/** What the watcher does without being asked: adopts, serves who waited, frees, and puts right. */
import { describe, expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { claim, node, pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds, type Seed } from "../support/world.ts";

const worlds = useWorlds();

const homelab = pool("homelab-pool", ["192.168.1.200-192.168.1.220"]);
const one = pool("one", ["10.0.0.1/32"]);
const open = (seed: Seed = { pools: [homelab] }) => worlds.open(seed);
const created = (day: number) => ({ metadata: { creationTimestamp: `2025-12-0${String(day)}T00:00:00Z` } });

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

describe("a Service that bypassed admission", () => {
  it("in kube-system gets its address from the watcher", async () => {
    const world = await open();
    await world.create(kinds.services, service("kube-system/traefik"));
    await pass(100);
    expect(world.annotationOf("kube-system/traefik")).toBe("192.168.1.200");
    expect(world.statusOf("kube-system/traefik")).toEqual(["192.168.1.200"]);
  });

  it("in kube-system with a pin moves when the pin does", async () => {
    const world = await open();
    await world.create(kinds.services, service("kube-system/traefik", { pin: "192.168.1.210" }));
    await pass(100);
    const annotations = { [keys.pinOld]: "192.168.1.211" };
    await world.change(kinds.services, "kube-system/traefik", { metadata: { annotations } });
    await pass(2_100);
    expect(world.statusOf("kube-system/traefik")).toEqual(["192.168.1.211"]);
    expect(world.claims()).toEqual(["192.168.1.211 kube-system/traefik"]);
  });

  it("while the webhook was away gets its address from the watcher", async () => {
    const world = await open();
    world.isWebhookUp = false;
    expect((await world.create(kinds.services, service("default/web"))).denied).toBeUndefined();
    await pass(100);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.200"]);
  });
});

describe("a Service that waits", () => {
  it("is served when a pool appears", async () => {
    const world = await open({});
    await world.create(kinds.services, service("default/web"));
    await pass(1_000);
    await world.create(kinds.pools, homelab);
    await pass(100);
    expect(world.annotationOf("default/web")).toBe("192.168.1.200");
    expect(world.statusOf("default/web")).toEqual(["192.168.1.200"]);
    expect(world.conditionOf("default/web")).toMatch(/^True Assigned: /);
  });

  it("is served when an address is freed", async () => {
    const world = await open({ pools: [one] });
    await world.create(kinds.services, service("default/db"));
    await world.create(kinds.services, service("default/web"));
    await pass(1_000);
    expect(world.statusOf("default/web")).toEqual([]);
    await world.delete(kinds.services, "default/db");
    await pass(2_100);
    expect(world.statusOf("default/web")).toEqual(["10.0.0.1"]);
  });

  it("is served when a pool grows", async () => {
    const world = await open({ pools: [one], nodes: [node("node-1", ["10.0.0.1"])] });
    await world.create(kinds.services, service("default/web"));
    await world.change(kinds.pools, "network/one", { spec: { addresses: ["10.0.0.2/32"] } });
    await pass(100);
    expect(world.statusOf("default/web")).toEqual(["10.0.0.2"]);
  });
});

describe("the address of a deleted Service", () => {
  it("is free after two seconds and not before", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web"));
    await pass(60_000);
    await world.delete(kinds.services, "default/web");
    await pass(1_900);
    expect(world.claims()).toEqual(["192.168.1.200 default/web"]);
    await pass(200);
    expect(world.claims()).toEqual([]);
  });

  it("is free after a minute when its Service was gone before the watcher came", async () => {
    const world = await open({ pools: [homelab], claims: [claim("192.168.1.200", "default/gone")] });
    await pass(59_000);
    expect(world.claims()).toHaveLength(1);
    await pass(2_000);
    expect(world.claims()).toEqual([]);
  });

  it("waits for a Service of its name that comes back within the two seconds", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web", { pin: "192.168.1.205" }));
    await pass(60_000);
    await world.delete(kinds.services, "default/web");
    await pass(1_500);
    await world.create(kinds.services, service("default/other"));
    await world.create(kinds.services, service("default/web"));
    expect(world.annotationOf("default/web")).toBe("192.168.1.205");
    await pass(100_000);
    expect(world.claims()).toEqual(["192.168.1.200 default/other", "192.168.1.205 default/web"]);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.205"]);
  });

  it("goes at once to a Service that asks for it by name", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web"));
    await pass(100);
    await world.delete(kinds.services, "default/web");
    await pass(100);
    const { denied } = await world.create(kinds.services, service("default/new", { pin: "192.168.1.200" }));
    expect(denied).toBeUndefined();
    await pass(100_000);
    expect(world.claims()).toEqual(["192.168.1.200 default/new"]);
  });
});

describe("a claim", () => {
  it("whose request was denied later is given up after a minute", async () => {
    const world = await open();
    const request = { operation: "CREATE", plural: "services", oldObject: undefined, user: "someone" } as const;
    await world.admit({ ...request, object: service("default/never") });
    await pass(59_000);
    expect(world.claims()).toEqual(["192.168.1.200 default/never"]);
    await pass(2_000);
    expect(world.claims()).toEqual([]);
  });

  it("that its Service cannot use for its pin is given up after a minute", async () => {
    const world = await open({
      pools: [homelab],
      services: [service("default/web", { pin: "10.9.9.9" })],
      claims: [claim("192.168.1.200", "default/web")],
    });
    await pass(61_000);
    expect(world.claims()).toEqual([]);
  });

  it("deleted by hand comes back", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web"));
    await pass(1_000);
    await world.delete(kinds.claims, "192.168.1.200");
    await pass(100);
    expect(world.claims()).toEqual(["192.168.1.200 default/web"]);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.200"]);
  });

  it("of somebody else's is never released", async () => {
    const world = await open({
      pools: [homelab],
      claims: [claim("192.168.1.200", "default/gone", "ipallocator.k8s.io"), claim("192.168.1.201", "a/b", "someone")],
    });
    await pass(200_000);
    expect(world.claims()).toHaveLength(2);
  });

  it("on an address that a node came to have is released once its Service has another", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web"));
    await pass(61_000);
    world.store.seed(kinds.nodes, node("node-1", ["192.168.1.200"]));
    await world.change(kinds.services, "default/web", { metadata: { labels: { a: "b" } } });
    await pass(61_000);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.201"]);
    expect(world.claims()).toEqual(["192.168.1.201 default/web"]);
  });
});

describe("the status", () => {
  it("that somebody changed is put right", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web"));
    await pass(100);
    const key = { namespace: "default", name: "web" };
    world.store.edit(kinds.services, key, { status: { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } } });
    await pass(100);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.200"]);
  });

  it("is written although the first tries fail", async () => {
    let failures = 5;
    const world = await worlds.open(
      { pools: [homelab] },
      {
        hook: (process) => (call, run) => {
          if (process === "watcher" && call.verb === "merge" && failures > 0) {
            failures -= 1;
            return Promise.reject(new Error("ETIMEDOUT"));
          }
          return run();
        },
      },
    );
    await world.create(kinds.services, service("default/web"));
    await pass(5_000);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.200"]);
  });

  it("names no address that another Service has claimed", async () => {
    const world = await open({
      pools: [one],
      services: [service("default/web", { addresses: "10.0.0.1", status: ["10.0.0.1"] })],
      claims: [claim("10.0.0.1", "default/db")],
    });
    await pass(1_000);
    expect(world.statusOf("default/web")).toEqual([]);
    expect(world.annotationOf("default/web")).toBeUndefined();
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
      pools: [one],
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
