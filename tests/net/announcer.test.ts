import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Segment, type Announcer, type Host } from "../../hack/src/segment.ts";
import { capture, type Capture } from "./capture.ts";
import type { Arp } from "./frames.ts";

const VIP = "192.168.1.200";
const OTHER = "192.168.1.201";
const V6 = "fd00::200";
/** Where its solicitations go (RFC 4291 §2.7.1, RFC 2464 §7); no address of the hosts has the same. */
const V6_GROUP_MAC = "33:33:ff:00:02:00";
const BROADCAST = "ff:ff:ff:ff:ff:ff";
const REPLY = 2;

const segment = new Segment();
type World = { client: Host; left: Host; right: Host; onLeft: Announcer; onRight: Announcer; wire: Capture };
const world = {} as World;

const plan = (...nodes: readonly Host[]) => planFor(VIP, ...nodes);
const planFor = (ip: string, ...nodes: readonly Host[]) => ({ ip, nodes: nodes.map(({ namespace }) => namespace) });
const ask = async (address: string): Promise<string> => {
  await segment.on(world.client, "ip", "neigh", "flush", "all");
  return segment.on(world.client, "arping", "-c", "1", "-w", "1", "-I", "lan0", address);
};
const answeredBy = (host: Host, address = VIP) =>
  expect.poll(() => ask(address), { timeout: 10_000 }).toContain(host.mac.toUpperCase());
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));
const gratuitousFrom = (host: Host) => (arp: Arp) =>
  arp.senderIp === VIP && arp.targetIp === VIP && arp.senderMac === host.mac && arp.destination === BROADCAST;

/** What the client's kernel knows about an IPv6 neighbour after it has asked. */
const solicit = async (address: string): Promise<string> => {
  await segment.on(world.client, "ip", "neigh", "flush", "all");
  await segment.on(world.client, "ping", "-6", "-c", "1", "-W", "1", address);
  return segment.on(world.client, "ip", "-6", "neigh", "show", "to", address);
};

beforeAll(async () => {
  await segment.open();
  world.client = await segment.host("client", "192.168.1.50/24", "fd00::50/64");
  world.left = await segment.host("left", "192.168.1.11/24", "fd00::11/64");
  world.right = await segment.host("right", "192.168.1.12/24", "fd00::12/64");
  world.wire = await capture(world.client);
  world.onLeft = await segment.announce(world.left, []);
  world.onRight = await segment.announce(world.right, []);
});
afterAll(async () => {
  await segment.close();
  world.wire.stop();
});
beforeEach(async () => {
  const both = [plan(world.left, world.right), planFor(V6, world.left, world.right)];
  await Promise.all([world.onLeft.plan(both), world.onRight.plan(both)]);
  await answeredBy(world.left);
});

test("the first node of the plan answers with its own hardware address, and no other does", async () => {
  const before = world.wire.seen.length;
  expect(await ask(VIP)).toContain(world.left.mac.toUpperCase());
  const replies = world.wire
    .since(before, "arp")
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
  const announced = () => world.wire.since(before, "arp").filter(gratuitousFrom(world.right));
  await expect.poll(() => announced().length, { timeout: 8_000 }).toBeGreaterThanOrEqual(8);
  const operations = announced().map(({ operation }) => operation);
  expect(operations.slice(0, 2).toSorted()).toEqual([1, 2]);
  expect(announced()[0]!.millis - startMillis).toBeLessThan(1_000);
  expect(await ask(VIP)).toContain(world.right.mac.toUpperCase());
});

test("an unrelated change of the plan announces nothing again", async () => {
  await pause(6_000);
  const before = world.wire.seen.length;
  await world.onLeft.plan([plan(world.left, world.right), { ip: OTHER, nodes: ["elsewhere"] }]);
  await pause(1_500);
  expect(world.wire.since(before, "arp").filter(gratuitousFrom(world.left))).toEqual([]);
});

test("each silence is logged as JSON with its reason, once a second, and how many more there were", async () => {
  await answeredBy(world.left);
  const before = readFileSync(world.onRight.log, "utf8").length;
  await segment.watch(world.client, VIP, 3.5);
  const lines = readFileSync(world.onRight.log, "utf8").slice(before).trim().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const silences = entries.filter((entry) => entry["message"] === "frame not answered");
  expect(silences.map((entry) => entry["reason"])).toContain("notFirst");
  expect(silences.length).toBeLessThanOrEqual(2 * 5);
  expect(Math.max(...silences.map((entry) => Number(entry["kept_back"])))).toBeGreaterThan(20);
});

test("a node whose interface is missing is silent and says why", async () => {
  const missing = [{ ...plan(world.left), interfaces: ["eth9"] }];
  await Promise.all([world.onLeft.plan(missing), world.onRight.plan(missing)]);
  await expect.poll(() => ask(VIP), { timeout: 5_000 }).toContain("Received 0 response");
  // Who answers first afterwards keeps the address, whoever is first of the plan: let that be the left one.
  await world.onLeft.plan([plan(world.left, world.right)]);
  await answeredBy(world.left);
});

test("a hardware address that changes is the one answered with, and is announced", async () => {
  const changed = "02:00:00:00:be:11";
  await segment.setLink(world.left, "address", changed);
  await expect.poll(() => ask(VIP), { timeout: 5_000 }).toContain(changed.toUpperCase());
  const announced = () => world.wire.since(0, "arp").filter(gratuitousFrom({ ...world.left, mac: changed }));
  await expect.poll(announced, { timeout: 5_000 }).not.toEqual([]);
  await segment.setLink(world.left, "address", world.left.mac);
});

test("a solicitation by multicast or straight to the node is answered, solicited and without override", async () => {
  const before = world.wire.seen.length;
  await expect.poll(() => solicit(V6), { timeout: 10_000 }).toContain(world.left.mac);
  // The kernel asks a neighbour that it knows once more, straight and without its own MAC address (RFC 4861 §7.2.2).
  const probe = ["lladdr", world.left.mac, "dev", "lan0", "nud", "probe"];
  await segment.on(world.client, "ip", "-6", "neigh", "replace", V6, ...probe);
  const answers = () =>
    world.wire.since(before, "advertisement").filter((frame) => frame.targetIp === V6 && frame.isSolicited);
  await expect.poll(() => answers().length, { timeout: 5_000 }).toBeGreaterThanOrEqual(2);
  for (const answer of answers()) {
    expect(answer).toMatchObject({
      hopLimit: 255,
      overrides: false,
      targetMac: world.left.mac,
      destination: world.client.mac,
    });
  }
});

test("an IPv6 address that moves is announced to all nodes, with override", async () => {
  const before = world.wire.seen.length;
  const both = [planFor(V6, world.right, world.left)];
  const began = Date.now();
  await world.onLeft.plan(both);
  // With its old plan it would defend the address against the one that is to have it, by an announcement.
  const planAge = () => world.onLeft.metric("berth_announcer_plan_age_seconds");
  await expect.poll(async () => (await planAge()) < (Date.now() - began) / 1000, { timeout: 5_000 }).toBe(true);
  await world.onRight.plan(both);
  const announced = () => {
    const all = world.wire.since(before, "advertisement");
    const unasked = all.filter((frame) => frame.targetIp === V6 && !frame.isSolicited);
    // The node that had it may have sent a round just before the plan came.
    const first = unasked.findIndex((frame) => frame.targetMac === world.right.mac);
    return first === -1 ? [] : unasked.slice(first);
  };
  await expect.poll(() => announced().length, { timeout: 8_000 }).toBeGreaterThanOrEqual(3);
  for (const frame of announced()) {
    expect(frame).toMatchObject({
      destinationIp: "ff02::1",
      overrides: true,
      hopLimit: 255,
      targetMac: world.right.mac,
    });
  }
  await expect.poll(() => solicit(V6), { timeout: 5_000 }).toContain(world.right.mac);
});

test("frames of nonsense and for strangers wake nobody, and harm nothing", async () => {
  const silences = await world.onLeft.metric("berth_announcer_silences_total");
  const malformed = await world.onLeft.metric("berth_announcer_malformed_frames_total");
  const script = `import socket,os
s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); s.bind(("lan0",0))
for kind in (b"\\x08\\x06", b"\\x86\\xdd", b"\\x88\\xb5"):
  for n in range(400): s.send(b"\\xff"*6+os.urandom(6)+kind+os.urandom(n%120))`;
  await segment.on(world.client, "python3", "-c", script);
  await segment.client(world.client, "flood", "2000", "1");
  expect(await ask(VIP)).toContain(world.left.mac.toUpperCase());
  expect(await world.onLeft.metric("berth_announcer_silences_total")).toBeLessThan(silences + 20);
  expect(await world.onLeft.metric("berth_announcer_malformed_frames_total")).toBe(malformed);
  // What is a hello is only known once its tag has been checked.
  const rejected = await world.onLeft.metric("berth_announcer_hellos_rejected_total");
  expect(rejected).toBeGreaterThanOrEqual(100);
});

test("after the interface went down and up the IPv6 address is answered again, and its group is joined again", async () => {
  // Nobody else may answer, or it would be that one.
  await Promise.all([world.onLeft.plan([planFor(V6, world.left)]), world.onRight.plan([planFor(V6, world.left)])]);
  await expect.poll(() => solicit(V6), { timeout: 10_000 }).toContain(world.left.mac);
  // A veth takes in all groups, joined or not; a network card does not.
  const groups = () => segment.on(world.left, "ip", "maddr", "show", "dev", "lan0");
  expect(await groups()).toContain(V6_GROUP_MAC);
  await segment.setLink(world.left, "down");
  await expect.poll(groups, { timeout: 5_000 }).not.toContain(V6_GROUP_MAC);
  await segment.setLink(world.left, "up");
  await expect.poll(() => solicit(V6), { timeout: 10_000 }).toContain(world.left.mac);
  expect(await groups()).toContain(V6_GROUP_MAC);
});
