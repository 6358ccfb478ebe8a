/** What an update of a Service does, and what it never does. */
import { describe, expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pool, service, type ServiceParts } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds, type Seed } from "../support/world.ts";

const worlds = useWorlds();

const homelab = pool("homelab-pool", ["192.168.1.200-192.168.1.220"]);
const open = (seed: Seed = { pools: [homelab] }) => worlds.open(seed);

const free = "ask for a free one such as 192.168.1.200, or remove the annotation to be given one";
const pinned = (pin: string): object => ({ metadata: { annotations: { [keys.pinOld]: pin } } });

describe("an update", () => {
  it("to an address that is free moves the Service, and frees the former address", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web"));
    await pass(100);
    expect((await world.change(kinds.services, "default/web", pinned("192.168.1.210"))).denied).toBeUndefined();
    await pass(2_100);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.210"]);
    expect(world.claims()).toEqual(["192.168.1.210 default/web"]);
  });

  it("to an address that is not to be had is denied and changes nothing", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web"));
    await world.create(kinds.services, service("default/db"));
    await pass(100);
    const before = [world.service("default/web"), world.claims()];
    const { denied } = await world.change(kinds.services, "default/web", pinned("192.168.1.201"));
    expect(denied).toBe(
      'Service "default/web" asks for 192.168.1.201, which Service "default/db" holds; ask for a free one such as 192.168.1.202, or remove the annotation to be given one',
    );
    await pass(100_000);
    expect([world.service("default/web"), world.claims()]).toEqual(before);
  });

  it.each([
    { what: "with another port", shares: "k", ports: [443, 8080] },
    { what: "without its key", shares: null, ports: [443] },
  ])("that is denied $what binds nobody who shares to what it asked for", async ({ shares, ports }) => {
    const world = await open();
    const sharer = (...numbers: readonly number[]): ServiceParts => ({
      annotations: { [keys.shareNew]: "k" },
      spec: { ports: numbers.map((port) => ({ name: `p-${String(port)}`, protocol: "TCP", port })) },
    });
    await world.create(kinds.services, service("default/a", sharer(443)));
    const annotations = { [keys.pinNew]: "x", [keys.shareNew]: shares };
    const patch = { metadata: { annotations }, spec: sharer(...ports).spec };
    expect((await world.change(kinds.services, "default/a", patch)).denied).toContain("which is no IP address");
    await world.create(kinds.services, service("default/b", { ...sharer(8080), pin: "192.168.1.200" }));
    expect(world.claims()).toEqual(["192.168.1.200 default/a+default/b"]);
  });

  it("that has nothing to do with an old fault is let through with a Warning", async () => {
    const world = await open({ pools: [homelab], services: [service("default/web", { pin: "10.9.9.9" })] });
    await pass(100);
    const { denied, warnings } = await world.change(kinds.services, "default/web", {
      metadata: { labels: { a: "b" } },
    });
    expect([denied, warnings]).toEqual([
      undefined,
      [
        `Service "default/web" asks for 10.9.9.9, which is outside IPAddressPool "network/homelab-pool" (192.168.1.200-192.168.1.220); ${free}`,
      ],
    ]);
  });

  it("that replaces one fault by another is denied", async () => {
    const world = await open({ pools: [homelab], services: [service("default/web", { pin: "10.9.9.9" })] });
    const { denied } = await world.change(kinds.services, "default/web", pinned("10.9.9.8"));
    expect(denied).toContain("asks for 10.9.9.8, which is outside");
  });

  it.each([
    { what: "changes it", value: "192.168.1.219" },
    { what: "takes it off", value: null },
    { what: "empties it", value: "" },
  ])("of Berth's own annotation comes to nothing when it $what", async ({ value }) => {
    const world = await open();
    await world.create(kinds.services, service("default/web"));
    const outcome = await world.change(kinds.services, "default/web", {
      metadata: { annotations: { [keys.addresses]: value } },
    });
    expect(outcome.stored?.metadata?.annotations?.[keys.addresses]).toBe("192.168.1.200");
  });

  it("to a LoadBalancer gives an address, and back takes it away", async () => {
    const world = await open();
    const { stored } = await world.create(kinds.services, service("default/web", { spec: { type: "ClusterIP" } }));
    expect(stored?.metadata?.annotations).toBeUndefined();
    await pass(100);
    await world.change(kinds.services, "default/web", { spec: { type: "LoadBalancer" } });
    await pass(100);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.200"]);
    await world.change(kinds.services, "default/web", { spec: { type: "ClusterIP" } });
    await pass(2_100);
    expect(world.annotationOf("default/web")).toBeUndefined();
    expect(world.statusOf("default/web")).toEqual([]);
    expect(world.conditionOf("default/web")).toBeUndefined();
    expect(world.claims()).toEqual([]);
  });

  it("back and forth between types within two seconds keeps the address", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web", { pin: "192.168.1.205" }));
    await pass(1_000);
    await world.change(kinds.services, "default/web", { spec: { type: "ClusterIP" } });
    await pass(1_000);
    await world.change(kinds.services, "default/web", { spec: { type: "LoadBalancer" } });
    await pass(100_000);
    expect(world.statusOf("default/web")).toEqual(["192.168.1.205"]);
    expect(world.claims()).toEqual(["192.168.1.205 default/web"]);
  });
});
