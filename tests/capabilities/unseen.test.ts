/** What becomes of changes that admission did not see, and of those that no watcher saw. */
import { describe, expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds } from "../support/world.ts";

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

it("what happened in an hour without a watcher is in line once there is one again", async () => {
  const world = await worlds.open({ pools: [pool("lan", ["10.0.0.1-10.0.0.9"])] });
  const names = ["default/kept", "default/gone", "default/turned", "default/moved"] as const;
  for (const name of names) await world.create(kinds.services, service(name));
  await pass(1_000);
  expect(names.map((name) => world.statusOf(name))).toEqual([["10.0.0.1"], ["10.0.0.2"], ["10.0.0.3"], ["10.0.0.4"]]);
  world.endWatcher();
  await world.delete(kinds.services, "default/gone");
  await world.change(kinds.services, "default/turned", { spec: { type: "ClusterIP" } });
  await world.change(kinds.services, "default/moved", { metadata: { annotations: { [keys.pinNew]: "10.0.0.7" } } });
  await pass(3_600_000);
  await world.create(kinds.services, service("default/new"));
  expect(world.annotationOf("default/new")).toBe("10.0.0.5");
  const end = new AbortController();
  await world.startWatcher(end.signal);
  await pass(140_000);
  expect(world.claims()).toEqual(["10.0.0.1 default/kept", "10.0.0.5 default/new", "10.0.0.7 default/moved"]);
  const left = ["default/kept", "default/turned", "default/moved", "default/new"];
  expect(left.map((name) => world.statusOf(name))).toEqual([["10.0.0.1"], [], ["10.0.0.7"], ["10.0.0.5"]]);
  end.abort();
});

it("a Service that waited, and was made a ClusterIP while no watcher was there, loses its condition", async () => {
  const world = await worlds.open({});
  await world.create(kinds.services, service("default/web"));
  await pass(1_000);
  world.close();
  await world.change(kinds.services, "default/web", { spec: { type: "ClusterIP" } });
  await pass(1_000);
  expect(world.conditionOf("default/web")).toMatch(/^False NoPools/);
  const end = new AbortController();
  await world.startWatcher(end.signal);
  await pass(1_000);
  expect(world.conditionOf("default/web")).toBeUndefined();
  end.abort();
});

describe("an address in Berth's annotation that Berth did not write, and that no usable pool has", () => {
  const lan = pool("lan", ["10.0.0.1-10.0.0.9"]);
  const forged = { addresses: "172.16.0.9" };

  const broken = pool("broken", ["172.16.0.1-172.16.0.9", "nonsense"]);

  it.each([
    {
      row: "in a namespace whose Services admission never sees",
      key: "kube-system/web",
      isWebhookUp: true,
      others: [],
    },
    { row: "while the webhook was away", key: "default/web", isWebhookUp: false, others: [] },
    { row: "of a pool with a fault", key: "kube-system/web", isWebhookUp: true, others: [broken] },
  ])("is not given to a new Service: $row", async ({ key, isWebhookUp, others }) => {
    const world = await worlds.open({ pools: [lan, ...others] });
    world.isWebhookUp = isWebhookUp;
    await world.create(kinds.services, service(key, forged));
    await pass(70_000);
    expect([world.statusOf(key), world.claims()]).toEqual([["10.0.0.1"], [`10.0.0.1 ${key}`]]);
  });

  it("is not given to a Service that has one", async () => {
    const world = await worlds.open({ pools: [lan] });
    await world.create(kinds.services, service("kube-system/web"));
    await pass(1_000);
    const annotations = { [keys.addresses]: "172.16.0.9", [keys.fromPool]: null };
    await world.change(kinds.services, "kube-system/web", { metadata: { annotations } });
    await pass(70_000);
    expect([world.statusOf("kube-system/web"), world.claims()]).toEqual([["10.0.0.1"], ["10.0.0.1 kube-system/web"]]);
  });

  it("is not given to what comes to be a LoadBalancer before the watcher has looked", async () => {
    const world = await worlds.open({ pools: [lan] });
    world.endWatcher();
    await world.create(kinds.services, service("default/web", { ...forged, spec: { type: "ClusterIP" } }));
    const { warnings } = await world.change(kinds.services, "default/web", { spec: { type: "LoadBalancer" } });
    expect([world.annotationOf("default/web"), warnings, world.claims()]).toEqual([
      "10.0.0.1",
      [],
      ["10.0.0.1 default/web"],
    ]);
  });
});
