/** What becomes of a Service's address with each change of pools and namespaces, row by row. */
import { describe, expect, it, test } from "vitest";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { namespace, pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { annotate, at, lan, last, openWith, settled, web } from "../support/web.ts";
import { useWorlds, type World } from "../support/world.ts";

const worlds = useWorlds();

describe("of a pool", () => {
  test.each<{ row: string; change: (world: World) => Promise<unknown>; to: string; from?: Service; named?: string }>([
    {
      row: "renamed: stays",
      named: "home",
      change: async (world) => {
        await world.delete(kinds.pools, "network/lan");
        await pass(1_000);
        await world.create(kinds.pools, pool("home", ["10.0.0.1-10.0.0.9"]));
      },
      to: "10.0.0.1",
    },
    {
      row: "split: stays",
      named: "low",
      change: async (world) => {
        await world.change(kinds.pools, "network/lan", { spec: { addresses: ["10.0.0.4-10.0.0.9"] } });
        await pass(1_000);
        await world.create(kinds.pools, pool("low", ["10.0.0.1-10.0.0.3"], { autoAssign: false }));
      },
      to: "10.0.0.1",
    },
    {
      row: "renamed to one that may not serve the Service: moved",
      change: async (world) => {
        await world.delete(kinds.pools, "network/lan");
        await pass(1_000);
        await world.create(
          kinds.pools,
          pool("home", ["10.0.0.1-10.0.0.9"], { serviceAllocation: { namespaces: ["x"] } }),
        );
      },
      to: "10.2.0.1",
    },
    {
      row: "shrunk: moved within it",
      change: (world) => world.change(kinds.pools, "network/lan", { spec: { addresses: ["10.0.0.4-10.0.0.9"] } }),
      to: "10.0.0.4",
    },
    { row: "deleted: moved to another", change: (world) => world.delete(kinds.pools, "network/lan"), to: "10.2.0.1" },
    {
      row: "avoidBuggyIPs turned on: moved",
      from: service(web, { pin: "10.0.0.1" }),
      change: async (world) => {
        await world.change(kinds.pools, "network/lan", { spec: { addresses: ["10.0.0.0-10.0.0.9"] } });
        await world.change(kinds.services, web, annotate({ [keys.pinOld]: "10.0.0.0" }));
        await pass(3_000);
        await world.change(kinds.services, web, annotate({ [keys.pinOld]: null }));
        await world.change(kinds.pools, "network/lan", { spec: { avoidBuggyIPs: true } });
      },
      to: "10.0.0.1",
    },
    {
      row: "expanded below: stays",
      from: service(web, { pin: "10.0.0.5" }),
      change: (world) => world.change(kinds.pools, "network/lan", { spec: { addresses: ["10.0.0.0-10.0.0.20"] } }),
      to: "10.0.0.5",
    },
    {
      row: "priority of another: stays",
      change: (world) => world.change(kinds.pools, "network/zz-last", { spec: { serviceAllocation: { priority: 1 } } }),
      to: "10.0.0.1",
    },
    {
      row: "autoAssign turned off: stays",
      change: (world) => world.change(kinds.pools, "network/lan", { spec: { autoAssign: false } }),
      to: "10.0.0.1",
    },
    {
      row: "serviceAllocation narrowed: moved",
      change: (world) =>
        world.change(kinds.pools, "network/lan", { spec: { serviceAllocation: { namespaces: ["x"] } } }),
      to: "10.2.0.1",
    },
    {
      row: "serviceAllocation narrowed to others' labels: moved",
      change: (world) =>
        world.change(kinds.pools, "network/lan", {
          spec: { serviceAllocation: { serviceSelectors: [{ matchLabels: { a: "b" } }] } },
        }),
      to: "10.2.0.1",
    },
    {
      row: "namespaceSelectors that match no namespace: moved, nobody is let in",
      change: (world) =>
        world.change(kinds.pools, "network/lan", {
          spec: { serviceAllocation: { namespaceSelectors: [{ matchLabels: { a: "b" } }] } },
        }),
      to: "10.2.0.1",
    },
  ])("$row", async ({ from, change, to, named = to.startsWith("10.2.") ? "zz-last" : "lan" }) => {
    const world = await openWith(worlds, from);
    await change(world);
    expect(await settled(world)).toEqual(at(to));
    expect(world.service(web)?.metadata?.annotations?.[keys.fromPool]).toBe(named);
  });

  it("that is deleted with all others takes the address away, with an Event and a condition", async () => {
    const world = await openWith(worlds, service(web), { pools: [lan] });
    await world.delete(kinds.pools, "network/lan");
    expect(await settled(world)).toEqual(at(""));
    expect(world.conditionOf(web)).toMatch(/^False NoPools/);
    expect(world.events(web).map((event) => event.split(":")[0])).toEqual(
      expect.arrayContaining(["IPAllocated", "ClearAssignment", "AllocationFailed"]),
    );
  });

  it("that is deleted while no other serves the Service takes the address away, with an Event and a condition", async () => {
    const others = pool("others", ["10.3.0.1-10.3.0.9"], { serviceAllocation: { namespaces: ["x"] } });
    const world = await openWith(worlds, service(web), { pools: [lan, others] });
    await world.delete(kinds.pools, "network/lan");
    expect(await settled(world)).toEqual(at(""));
    expect(world.conditionOf(web)).toMatch(/^False NoEligiblePool/);
    expect(world.events(web).map((event) => event.split(":")[0])).toEqual(
      expect.arrayContaining(["IPAllocated", "ClearAssignment", "AllocationFailed"]),
    );
  });

  it("that would take more than five addresses is refused with five of them and the count", async () => {
    const world = await openWith(worlds, service(web), { pools: [pool("lan", ["10.0.0.1-10.0.0.9"])] });
    for (const name of ["a", "b", "c", "d", "e"]) await world.create(kinds.services, service(`default/${name}`));
    await pass(100);
    const lost = [web, "default/a", "default/b", "default/c", "default/d"].map(
      (name, index) => `10.0.0.${String(index + 1)} (Service "${name}")`,
    );
    expect((await world.delete(kinds.pools, "network/lan")).denied).toContain(
      `would lose ${lost.join(", ")} and 1 more, which are in use`,
    );
  });

  it("without consent to renumber is refused the change, and nothing moves", async () => {
    const world = await openWith(worlds, service(web), { pools: [pool("lan", ["10.0.0.1-10.0.0.9"]), last] });
    for (const change of [
      { spec: { addresses: ["10.0.0.4-10.0.0.9"] } },
      { spec: { serviceAllocation: { namespaces: ["x"] } } },
    ]) {
      expect((await world.change(kinds.pools, "network/lan", change)).denied).toContain(
        '10.0.0.1 (Service "default/web"), which is in use',
      );
    }
    expect((await world.delete(kinds.pools, "network/lan")).denied).toContain("which is in use");
    expect(await settled(world)).toEqual(at("10.0.0.1"));
  });
});

describe("of a namespace's labels", () => {
  const spec = { serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: "a" } }] } };
  const pools = [pool("lan", ["10.0.0.1-10.0.0.9"], spec), last];

  it("away from the pool's: moved, also when no namespace matches any more", async () => {
    const world = await openWith(worlds, service(web), { pools, namespaces: [namespace("default", { team: "a" })] });
    expect(world.statusOf(web)).toEqual(["10.0.0.1"]);
    await world.change(kinds.namespaces, "default", { metadata: { labels: { team: "b" } } });
    expect(await settled(world)).toEqual(at("10.2.0.1"));
  });

  it("to those of a better pool: stays", async () => {
    const world = await openWith(worlds, service(web), { pools, namespaces: [namespace("default", { team: "b" })] });
    expect(world.statusOf(web)).toEqual(["10.2.0.1"]);
    await world.change(kinds.namespaces, "default", { metadata: { labels: { team: "a" } } });
    expect(await settled(world)).toEqual(at("10.2.0.1"));
  });
});
