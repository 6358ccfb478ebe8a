/** Claims that somebody edits or deletes by hand: nobody moves, nobody is given an address that is in use, none is lost. */
import { describe, expect, it } from "vitest";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { claim, pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { renumbering } from "../support/web.ts";
import { useWorlds, type World } from "../support/world.ts";

const worlds = useWorlds();

const lan = pool("lan", ["10.0.0.1-10.0.0.9"]);
const [a, b] = ["default/a", "default/b"] as const;

/** A Service that shares under the key "k". */
const sharer = (key: string, port: number): Service =>
  service(key, { annotations: { [keys.shareNew]: "k" }, spec: { ports: [{ port }] } });

async function openWith(...services: readonly Service[]): Promise<World> {
  const world = await worlds.open({ pools: [lan] });
  for (const one of services) await world.create(kinds.services, one);
  await pass(1_000);
  return world;
}

const edit = (world: World, sharers: string | null) =>
  world.change(kinds.claims, "10.0.0.1", { metadata: { annotations: { [keys.claimSharers]: sharers } } });

const DAMAGE = [
  { what: "no JSON", sharers: "a, b" },
  { what: "empty", sharers: "" },
  { what: "an empty list", sharers: "[]" },
  { what: "of another shape", sharers: '{"service":"default/a"}' },
  { what: "without terms", sharers: '[{"service":"default/a","terms":[]}]' },
  { what: "gone", sharers: null },
];

describe("a claim whose annotation of sharers is", () => {
  it.each(DAMAGE)("$what names its Services again, and none moves", async ({ sharers }) => {
    const world = await openWith(sharer(a, 80), sharer(b, 443));
    await edit(world, sharers);
    await pass(100);
    expect(world.claims()).toEqual(["10.0.0.1 default/a+default/b"]);
    await pass(70_000);
    expect([a, b].map((key) => world.statusOf(key))).toEqual([["10.0.0.1"], ["10.0.0.1"]]);
    expect(world.claims()).toEqual(["10.0.0.1 default/a+default/b"]);
    await world.create(kinds.services, sharer("default/same-port", 443));
    expect(world.annotationOf("default/same-port")).toBe("10.0.0.2");
    await world.create(kinds.services, sharer("default/other-port", 53));
    expect(world.annotationOf("default/other-port")).toBe("10.0.0.1");
  });

  it("damaged names the one Service that has the address for itself", async () => {
    const world = await openWith(service(a));
    await edit(world, "?");
    await pass(70_000);
    expect(world.claims()).toEqual(["10.0.0.1 default/a"]);
    await world.create(kinds.services, sharer(b, 443));
    expect(world.annotationOf(b)).toBe("10.0.0.2");
  });

  it.each([
    { heard: "heard", mends: true },
    { heard: "not heard", mends: false },
  ])("damaged takes nothing by an update through a pod that has $heard of it", async ({ mends }) => {
    let isDeaf = false;
    const world = await worlds.open(
      { pools: [lan] },
      {
        hook: (process) => (call, run) =>
          isDeaf && process === "watcher" && call.verb === "watch event" ? new Promise(() => undefined) : run(),
      },
    );
    for (const one of [sharer(a, 80), sharer(b, 443)]) await world.create(kinds.services, one);
    await pass(1_000);
    isDeaf = true;
    await edit(world, "?");
    if (mends) await pass(100);
    const { denied, warnings } = await world.change(kinds.services, a, { metadata: { labels: { x: "y" } } });
    expect([denied, warnings]).toEqual([undefined, []]);
    expect(world.annotationOf(a)).toBe("10.0.0.1");
    expect(world.claims()).toEqual([mends ? "10.0.0.1 default/a+default/b" : "10.0.0.1 "]);
  });

  it("damaged while no Service has the address is released after a minute and not before", async () => {
    const { metadata, ...rest } = claim("10.0.0.1", "default/gone");
    const damaged = { ...rest, metadata: { ...metadata, annotations: { [keys.claimSharers]: "?" } } };
    const world = await worlds.open({
      pools: [pool("one", ["10.0.0.1/32"])],
      claims: [damaged],
      services: [service(a)],
    });
    await pass(59_000);
    expect(world.statusOf(a)).toEqual([]);
    expect(world.store.all(kinds.claims)).toHaveLength(1);
    await pass(3_000);
    expect(world.statusOf(a)).toEqual(["10.0.0.1"]);
    expect(world.claims()).toEqual(["10.0.0.1 default/a"]);
  });

  it("damaged is left alone where somebody else made it", async () => {
    const { metadata, ...rest } = claim("10.0.0.1", "default/gone", "me");
    const foreign = { ...rest, metadata: { ...metadata, annotations: { [keys.claimSharers]: "?" } } };
    const world = await worlds.open({ pools: [lan], claims: [foreign] });
    await pass(130_000);
    expect(world.store.all(kinds.claims)).toHaveLength(1);
  });
});

describe("a claim whose labels", () => {
  const labels = (world: World) => world.store.get(kinds.claims, { name: "10.0.0.1" })?.metadata?.labels;

  it("somebody took off is Berth's all the same and has them again", async () => {
    const world = await openWith(service(a));
    const before = labels(world);
    await world.change(kinds.claims, "10.0.0.1", { metadata: { labels: { [keys.claimManagedBy]: null } } });
    await pass(70_000);
    expect(world.statusOf(a)).toEqual(["10.0.0.1"]);
    expect(world.claims()).toEqual(["10.0.0.1 default/a"]);
    expect(labels(world)).toEqual(before);
  });

  it("name a pool that was renamed name what has the address now", async () => {
    const world = await worlds.open({ pools: [pool("lan", ["10.0.0.1-10.0.0.9"], {}, renumbering)] });
    await world.create(kinds.services, service(a));
    await pass(1_000);
    await world.delete(kinds.pools, "network/lan");
    await world.create(kinds.pools, pool("new", ["10.0.0.1-10.0.0.9"]));
    await pass(70_000);
    expect(world.statusOf(a)).toEqual(["10.0.0.1"]);
    expect(labels(world)).toMatchObject({ [keys.claimPool]: "new", [keys.claimPoolNamespace]: "network" });
  });
});

describe("a claim that is deleted by hand", () => {
  const held = (one: Service): Service => ({ ...one, status: { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } } });

  it("comes back with all who share it, also with those of another namespace from before Berth", async () => {
    const services = [held(sharer(a, 80)), held(sharer("other/b", 443)), held(sharer("other/c", 53))];
    const world = await worlds.open({ pools: [lan], services });
    await pass(1_000);
    for (const times of [1, 2, 3]) {
      await world.delete(kinds.claims, "10.0.0.1");
      await pass(1_000 * times);
      expect(world.claims()[0]?.split(" ")[1]?.split("+").toSorted()).toEqual([a, "other/b", "other/c"]);
    }
    await pass(70_000);
    expect(world.claims()).toHaveLength(1);
    for (const key of [a, "other/b", "other/c"]) expect(world.statusOf(key)).toEqual(["10.0.0.1"]);
  });

  it("lets nobody of another namespace in beside them", async () => {
    const world = await worlds.open({ pools: [lan], services: [held(sharer(a, 80)), held(sharer("other/b", 443))] });
    await pass(1_000);
    await world.delete(kinds.claims, "10.0.0.1");
    await world.create(kinds.services, sharer("third/c", 53));
    await pass(70_000);
    expect(world.statusOf("third/c")).toEqual(["10.0.0.2"]);
  });
});

describe("a claim that others share, that was made for a Service which has left it,", () => {
  /** "a" has the address first and alone, opens it to "b" and "c", and then takes its key off. */
  async function openLeft(): Promise<World> {
    const world = await openWith(service(a));
    await world.change(kinds.services, a, { metadata: { annotations: { [keys.shareNew]: "k" } } });
    await pass(1_000);
    for (const one of [sharer(b, 443), sharer("default/c", 53)]) await world.create(kinds.services, one);
    await pass(1_000);
    await world.change(kinds.services, a, { metadata: { annotations: { [keys.shareNew]: null } } });
    await pass(70_000);
    expect(world.claims()).toEqual(["10.0.0.1 default/b+default/c", "10.0.0.2 default/a"]);
    return world;
  }

  const hands: readonly { what: string; act: (world: World) => Promise<unknown> }[] = [
    { what: "whose annotation is damaged", act: (world) => edit(world, "?") },
    { what: "whose annotation is gone", act: (world) => edit(world, null) },
    { what: "that is deleted", act: (world) => world.delete(kinds.claims, "10.0.0.1") },
  ];

  it.each(hands)("and $what names those who share it again, and none moves", async ({ act }) => {
    const world = await openLeft();
    await act(world);
    await pass(70_000);
    expect(world.claims().toSorted()).toEqual(["10.0.0.1 default/b+default/c", "10.0.0.2 default/a"]);
    expect([a, b, "default/c"].map((key) => world.statusOf(key))).toEqual([["10.0.0.2"], ["10.0.0.1"], ["10.0.0.1"]]);
  });

  it.each(hands)("and $what names them also where the one it was made for is deleted", async ({ act }) => {
    const world = await openLeft();
    await world.delete(kinds.services, a);
    await pass(70_000);
    await act(world);
    await pass(70_000);
    expect(world.claims()).toEqual(["10.0.0.1 default/b+default/c"]);
    expect([b, "default/c"].map((key) => world.statusOf(key))).toEqual([["10.0.0.1"], ["10.0.0.1"]]);
  });
});
