import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { capture, type Arp, type Capture } from "./capture.ts";
import { Segment, type Announcer, type Host } from "./segment.ts";

const VIP = "192.168.1.200";
const OTHER = "192.168.1.201";
const BROADCAST = "ff:ff:ff:ff:ff:ff";
const REPLY = 2;

const segment = new Segment();
type World = { client: Host; left: Host; right: Host; onLeft: Announcer; onRight: Announcer; wire: Capture };
const world = {} as World;

const plan = (...nodes: readonly Host[]) => ({ ip: VIP, nodes: nodes.map(({ namespace }) => namespace) });
const ask = async (address: string): Promise<string> => {
  await segment.on(world.client, "ip", "neigh", "flush", "all");
  return segment.on(world.client, "arping", "-c", "1", "-w", "1", "-I", "lan0", address);
};
const seen = (claim: (arp: Arp) => boolean): readonly Arp[] => world.wire.seen.filter(claim);
const gratuitousFrom = (host: Host) => (arp: Arp) =>
  arp.senderIp === VIP && arp.targetIp === VIP && arp.senderMac === host.mac && arp.destination === BROADCAST;

beforeAll(async () => {
  await segment.open();
  world.client = await segment.host("client", "192.168.1.50/24");
  world.left = await segment.host("left", "192.168.1.11/24");
  world.right = await segment.host("right", "192.168.1.12/24");
  world.wire = await capture(world.client);
  world.onLeft = await segment.announce(world.left, []);
  world.onRight = await segment.announce(world.right, []);
});
afterAll(async () => {
  await segment.close();
  world.wire.stop();
});
beforeEach(async () => {
  const both = [plan(world.left, world.right)];
  await Promise.all([world.onLeft.plan(both), world.onRight.plan(both)]);
});

test("the first node of the plan answers with its own hardware address, and no other does", async () => {
  const before = world.wire.seen.length;
  const said = await ask(VIP);
  expect(said).toContain(world.left.mac.toUpperCase());
  const replies = world.wire.seen
    .slice(before)
    .filter((arp) => arp.operation === REPLY && arp.destination === world.client.mac);
  expect(replies.map(({ senderMac, senderIp }) => ({ senderMac, senderIp }))).toEqual([
    { senderMac: world.left.mac, senderIp: VIP },
  ]);
});

test("nobody answers for an address that is in no plan", async () => {
  expect(await ask(OTHER)).toContain("Received 0 response");
});

test("a probe (RFC 5227) for the address is answered, so that nobody else takes it", async () => {
  const said = await segment.on(world.client, "arping", "-D", "-c", "1", "-w", "1", "-I", "lan0", VIP);
  expect(said).toContain(world.left.mac.toUpperCase());
});

test("a node that comes first announces itself at once, as request and as reply, and again for five seconds", async () => {
  const before = world.wire.seen.length;
  const both = [plan(world.right, world.left)];
  const startMillis = Date.now();
  await Promise.all([world.onLeft.plan(both), world.onRight.plan(both)]);
  await expect.poll(() => seen(gratuitousFrom(world.right)).length, { timeout: 8_000 }).toBeGreaterThanOrEqual(8);
  const announced = world.wire.seen.slice(before).filter(gratuitousFrom(world.right));
  expect(
    announced
      .slice(0, 2)
      .map(({ operation }) => operation)
      .toSorted(),
  ).toEqual([1, 2]);
  expect(announced[0]!.millis - startMillis).toBeLessThan(1_000);
  expect(await ask(VIP)).toContain(world.right.mac.toUpperCase());
});

test("an unrelated change of the plan announces nothing again", async () => {
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  const before = world.wire.seen.length;
  await world.onLeft.plan([plan(world.left, world.right), { ip: OTHER, nodes: ["elsewhere"] }]);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(world.wire.seen.slice(before).filter(gratuitousFrom(world.left))).toEqual([]);
});

test("a node whose interface is missing is silent and says why", async () => {
  await world.onLeft.plan([{ ...plan(world.left), interfaces: ["eth9"] }]);
  expect(await ask(VIP)).toContain("Received 0 response");
});

test("a hardware address that changes is the one answered with, and is announced", async () => {
  const changed = "02:00:00:00:be:11";
  await segment.setLink(world.left, "address", changed);
  await expect.poll(async () => ask(VIP), { timeout: 5_000 }).toContain(changed.toUpperCase());
  expect(seen((arp) => arp.senderMac === changed && arp.targetIp === VIP && arp.destination === BROADCAST)).not.toEqual(
    [],
  );
  await segment.setLink(world.left, "address", world.left.mac);
});

test("frames of nonsense are counted and harm nothing", async () => {
  const script = `import socket,os
s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); s.bind(("lan0",0))
for n in range(400): s.send(b"\\xff"*6+os.urandom(6)+b"\\x08\\x06"+os.urandom(n%120))`;
  await segment.on(world.client, "python3", "-c", script);
  expect(await ask(VIP)).toContain(world.left.mac.toUpperCase());
  expect(await world.onLeft.metrics()).toMatch(/berth_announcer_malformed_frames_total [1-9]/);
});

test("killed, it is silent at once, since the address is on no interface", async () => {
  world.onLeft.child.kill("SIGKILL");
  await new Promise((resolve) => world.onLeft.child.once("exit", resolve));
  expect(await ask(VIP)).toContain("Received 0 response");
});
