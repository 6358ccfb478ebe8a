/** What becomes of changes that admission did not see, and of those that no watcher saw. */
import { describe, expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { processOver, useWorlds } from "../support/world.ts";

const worlds = useWorlds();

describe("a sharer whose ports come to be others' without admission's seeing it", () => {
  const keyed = (port: number, extra: object = {}) => ({
    annotations: { [keys.shareNew]: "k" },
    spec: { ports: [{ port }], ...extra },
  });

  it("gives way, and the others keep the address", async () => {
    const world = await worlds.open({ pools: [pool("lan", ["10.0.0.1-10.0.0.9"])] });
    await world.create(kinds.services, service("default/a", keyed(80)));
    await world.create(kinds.services, service("default/b", keyed(81)));
    await pass(1_000);
    expect(["a", "b"].map((name) => world.statusOf(`default/${name}`))).toEqual([["10.0.0.1"], ["10.0.0.1"]]);
    world.isWebhookUp = false;
    await world.change(kinds.services, "default/b", { spec: { ports: [{ port: 80 }] } });
    await pass(100_000);
    expect(["a", "b"].map((name) => world.statusOf(`default/${name}`))).toEqual([["10.0.0.1"], ["10.0.0.2"]]);
  });

  it("gives way also where it asks for that very address, and is told", async () => {
    const world = await worlds.open({ pools: [pool("lan", ["10.0.0.1-10.0.0.9"])] });
    await world.create(kinds.services, service("default/a", keyed(80)));
    await world.create(
      kinds.services,
      service("default/b", { ...keyed(81), annotations: { [keys.shareNew]: "k", [keys.pinNew]: "10.0.0.1" } }),
    );
    await pass(1_000);
    world.isWebhookUp = false;
    await world.change(kinds.services, "default/b", { spec: { ports: [{ port: 80 }] } });
    await pass(100_000);
    expect(["a", "b"].map((name) => world.statusOf(`default/${name}`))).toEqual([["10.0.0.1"], []]);
    expect(world.conditionOf("default/b")).toMatch(/^False PinHeld: .* both use TCP\/80/);
  });
});

it("a Service that waited, and was made a ClusterIP while no watcher was there, loses its condition", async () => {
  const world = await worlds.open({});
  await world.create(kinds.services, service("default/web"));
  await pass(1_000);
  world.close();
  await world.change(kinds.services, "default/web", { spec: { type: "ClusterIP" } });
  await pass(1_000);
  expect(world.conditionOf("default/web")).toMatch(/^False NoPools/);
  const again = processOver(world.store.client());
  const end = new AbortController();
  await again.cluster.start("watcher", end.signal);
  for (const part of again.parts) await part.lead(end.signal);
  await pass(1_000);
  expect(world.conditionOf("default/web")).toBeUndefined();
  end.abort();
});
