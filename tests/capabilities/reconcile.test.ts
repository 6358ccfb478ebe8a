/** What the watcher does without being asked: serves who waited, frees, and puts right. */
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
