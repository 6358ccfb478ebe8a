import { afterEach, beforeEach, expect, test } from "vitest";
import { Segment, type Announcer, type Host } from "../../hack/src/segment.ts";
import { GAP_MILLIS, lastToAnswer, longestGap, macsOf, pause, settle, watching } from "./watching.ts";

const VIP = "192.168.1.200";

/** Two nodes on one switch; the first is attached to it twice, as one with a cable and a radio of one network is. */
type World = { segment: Segment; client: Host; ip: string; cable: Host; radio: Host; other: Host };
const world = {} as World;

const both = () => ({ ip: VIP, nodes: [world.cable, world.other].map(({ namespace }) => namespace) });
const pinned = () => ({ ...both(), interfaces: ["lan1"] });
const takeovers = (announcer: Announcer) => announcer.metric("berth_announcer_takeovers_total");

beforeEach(async () => {
  const segment = new Segment();
  await segment.open();
  world.segment = segment;
  world.ip = VIP;
  world.client = await segment.host("client", "192.168.1.50/24");
  world.cable = await segment.host("a", "192.168.1.10/24");
  world.radio = await segment.secondCable(world.cable, "a1");
  world.other = await segment.host("b", "192.168.1.11/24");
});
afterEach(async () => {
  await world.segment.close();
});

test("one of the two answers, and the other does in its place as soon as its carrier is gone", async () => {
  const twice = await world.segment.announce(world.cable, [both()]);
  const other = await world.segment.announce(world.other, [both()]);
  await settle(world, world.cable);
  const calm = await watching(world, 2, () => undefined);
  expect(macsOf(calm)).toEqual(new Set([world.cable.mac]));
  const watched = await watching(world, 4, async () => {
    await world.segment.setPort(world.cable, "down");
    await pause(1_000);
    await world.segment.setPort(world.cable, "up");
  });
  expect(macsOf(watched)).toEqual(new Set([world.cable.mac, world.radio.mac]));
  expect(lastToAnswer(watched)).toBe(world.radio.mac);
  expect(longestGap(watched)).toBeLessThan(GAP_MILLIS);
  expect([await takeovers(twice), await takeovers(other)]).toEqual([2, 0]);
});

test("a cut of one of the two that nobody is told of is noticed by the other, and death of the node by the next", async () => {
  const twice = await world.segment.announce(world.cable, [both()]);
  await world.segment.announce(world.other, [both()]);
  await settle(world, world.cable);
  const cut = await watching(world, 3, () => world.segment.setPort(world.cable, "nomaster"));
  expect(longestGap(cut)).toBeLessThan(GAP_MILLIS);
  expect(lastToAnswer(cut)).toBe(world.radio.mac);
  const dead = await watching(world, 3, () => twice.child.kill("SIGKILL"));
  expect(longestGap(dead)).toBeLessThan(GAP_MILLIS);
  expect(lastToAnswer(dead)).toBe(world.other.mac);
});

test("an address that belongs on one of the two stays there", async () => {
  const twice = await world.segment.announce(world.cable, [pinned()]);
  const plan = { ...both(), interfaces: ["lan1", "lan0"] };
  const other = await world.segment.announce(world.other, [plan]);
  await settle(world, world.radio);
  const watched = await watching(world, 6, () => undefined);
  expect(macsOf(watched)).toEqual(new Set([world.radio.mac]));
  expect([await takeovers(twice), await takeovers(other)]).toEqual([1, 0]);
  const stopped = await watching(world, 3, () => twice.child.kill("SIGTERM"));
  expect(longestGap(stopped)).toBeLessThan(GAP_MILLIS);
  expect(lastToAnswer(stopped)).toBe(world.other.mac);
  expect(await other.metric("berth_announcer_takeovers_total", 'cause="handedOver"')).toBe(1);
});
