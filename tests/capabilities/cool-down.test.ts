/** Addresses that rest before another Service gets them. */
import { describe, expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { claim, pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds, type World } from "../support/world.ts";

const worlds = useWorlds();

const [web, other] = ["default/web", "default/other"] as const;
const coolFor = (text: string) => pool("one", ["10.0.0.1/32"], {}, { annotations: { [keys.poolCoolDown]: text } });

/** A pool of one address that rests for ten minutes, which a Service has given up. */
async function resting(parts: Parameters<typeof service>[1] = {}): Promise<World> {
  const world = await worlds.open({ pools: [coolFor("10m")] });
  await world.create(kinds.services, service(web, parts));
  await pass(100);
  await world.delete(kinds.services, web);
  await pass(2_100);
  return world;
}

describe("an address that rests", () => {
  it("goes to a Service that waits once the time is over, and not before", async () => {
    const world = await resting();
    await world.create(kinds.services, service(other));
    await pass(595_000);
    expect(world.statusOf(other)).toEqual([]);
    await pass(6_000);
    expect(world.statusOf(other)).toEqual(["10.0.0.1"]);
  });

  it("is refused to a pin, which is told who it waits for", async () => {
    const world = await resting();
    const { denied } = await world.create(kinds.services, service(other, { pin: "10.0.0.1" }));
    expect(denied).toContain('rests since Service "default/web" gave it up');
  });

  it.each([
    { what: "through admission", isWebhookUp: true },
    { what: "through the watcher", isWebhookUp: false },
  ])("goes back to its Service at once, $what", async ({ isWebhookUp }) => {
    const world = await resting();
    world.isWebhookUp = isWebhookUp;
    await world.create(kinds.services, service(web));
    await pass(100);
    expect(world.statusOf(web)).toEqual(["10.0.0.1"]);
    await pass(1_200_000);
    expect(world.claims()).toEqual(["10.0.0.1 default/web"]);
  });

  it("that was shared goes back to the last of its sharers, on the terms that it has now", async () => {
    const share = { annotations: { [keys.shareNew]: "k" } };
    const world = await resting(share);
    const change = { annotations: { [keys.shareNew]: "other" } };
    await world.create(kinds.services, service(web, change));
    await world.create(kinds.services, service(other, { ...share, spec: { ports: [{ port: 443 }] } }));
    await pass(1_000);
    expect(world.statusOf(web)).toEqual(["10.0.0.1"]);
    expect(world.statusOf(other)).toEqual([]);
  });

  it("rests for as long as its pool says now", async () => {
    const world = await resting();
    await pass(60_000);
    await world.change(kinds.pools, "network/one", { metadata: { annotations: { [keys.poolCoolDown]: "30s" } } });
    await pass(4_000);
    expect(world.claims()).toEqual([]);
  });

  it("rests on while the watcher is replaced", async () => {
    const world = await resting();
    await pass(300_000);
    world.close();
    const end = new AbortController();
    await world.startWatcher(end.signal);
    await pass(290_000);
    expect(world.claims()).toEqual(["10.0.0.1 default/web"]);
    await pass(10_000);
    expect(world.claims()).toEqual([]);
    end.abort();
  });

  it.each(["", "yesterday", "9999-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])(
    "is free after once more its cool-down, though it is said to rest since %j",
    async (since) => {
      const one = claim("10.0.0.1", web);
      const metadata = { ...one.metadata, annotations: { [keys.claimRestingSince]: since } };
      const world = await worlds.open({ pools: [coolFor("10m")], claims: [{ ...one, metadata }] });
      await pass(601_000);
      expect(world.claims()).toEqual([]);
    },
  );

  it("is not one that a Service moved to and fro leaves for ever", async () => {
    const world = await worlds.open({
      pools: [pool("two", ["10.0.0.1-10.0.0.2"], {}, { annotations: { [keys.poolCoolDown]: "10m" } })],
    });
    await world.create(kinds.services, service(web, { pin: "10.0.0.1" }));
    await pass(100);
    for (const pin of ["10.0.0.2", "10.0.0.1", "10.0.0.2"]) {
      await world.change(kinds.services, web, { metadata: { annotations: { [keys.pinOld]: pin } } });
      await pass(3_000);
    }
    expect(world.claims()).toEqual(["10.0.0.1 default/web", "10.0.0.2 default/web"]);
    await pass(601_000);
    expect(world.claims()).toEqual(["10.0.0.2 default/web"]);
  });
});

it("an address of a pool without a cool-down goes to the next after the two seconds for its own Service", async () => {
  const world = await worlds.open({ pools: [pool("one", ["10.0.0.1/32"])] });
  await world.create(kinds.services, service(web));
  await pass(100);
  await world.delete(kinds.services, web);
  await world.create(kinds.services, service(other));
  await pass(1_800);
  expect(world.statusOf(other)).toEqual([]);
  await pass(300);
  expect(world.statusOf(other)).toEqual(["10.0.0.1"]);
});
