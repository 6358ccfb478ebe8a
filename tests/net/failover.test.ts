import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Segment, type Announcer, type Host } from "../../hack/src/segment.ts";
import { capture } from "./capture.ts";
import {
  GAP_MILLIS,
  lastToAnswer,
  longestGap,
  macsOf,
  overlap,
  pause,
  settle as settleFor,
  watching as watch,
} from "./watching.ts";

const VIP = "192.168.1.200";
const V6 = "fd00:1::200";

type World = { segment: Segment; client: Host; ip: string; hosts: readonly Host[]; announcers: Announcer[] };
const world = {} as World;
const plan = (...hosts: readonly Host[]) => [{ ip: world.ip, nodes: hosts.map(({ namespace }) => namespace) }];

const settle = (host: Host) => settleFor(world, host);
const watching = (seconds: number, act: () => unknown) => watch(world, seconds, act);

beforeEach(async () => {
  world.segment = new Segment();
  await world.segment.open();
  world.client = await world.segment.host("client", "192.168.1.50/24");
  world.ip = VIP;
});
afterEach(async () => {
  await world.segment.close();
});

async function start(count: number): Promise<void> {
  const names = ["a", "b", "c"].slice(0, count);
  world.hosts = await Promise.all(
    names.map((name, index) => world.segment.host(name, `192.168.1.1${String(index)}/24`)),
  );
  const all = plan(...world.hosts);
  world.announcers = await Promise.all(world.hosts.map((host) => world.segment.announce(host, all)));
  await settle(world.hosts[0]!);
}

describe.each([
  [2, VIP],
  [3, VIP],
  [3, V6],
])("among %i nodes, for %s", (count, ip) => {
  beforeEach(async () => {
    world.ip = ip;
    await start(count);
  });

  test("the next one answers soon after the first is killed", async () => {
    const watched = await watching(3, () => world.announcers[0]!.child.kill("SIGKILL"));
    expect(longestGap(watched)).toBeLessThan(GAP_MILLIS);
    expect(lastToAnswer(watched)).toBe(world.hosts[1]!.mac);
  });

  test("the next one answers soon after the first is frozen, which answers nothing when it goes on", async () => {
    const { child } = world.announcers[0]!;
    const watched = await watching(5, async () => {
      child.kill("SIGSTOP");
      await pause(2_000);
      child.kill("SIGCONT");
    });
    expect(longestGap(watched)).toBeLessThan(GAP_MILLIS);
    expect(overlap(watched, world.hosts[0]!, world.hosts[1]!)).toBe(0);
    expect(lastToAnswer(watched)).toBe(world.hosts[1]!.mac);
    expect(await world.announcers[0]!.metric("berth_announcer_fences_total")).toBeGreaterThanOrEqual(1);
  });

  test("the next one answers soon after the first one's cable is cut, and goes on after it is healed", async () => {
    const watched = await watching(5, async () => {
      await world.segment.setPort(world.hosts[0]!, "down");
      await pause(1_500);
      await world.segment.setPort(world.hosts[0]!, "up");
    });
    expect(longestGap(watched)).toBeLessThan(GAP_MILLIS);
    expect(overlap(watched, world.hosts[0]!, world.hosts[1]!)).toBeLessThan(150);
    expect(lastToAnswer(watched)).toBe(world.hosts[1]!.mac);
  });

  test("the next one answers soon after a cut that nobody is told of, and only one does after it is healed", async () => {
    let healedMillis = 0;
    const watched = await watching(5, async () => {
      await world.segment.setPort(world.hosts[0]!, "nomaster");
      await pause(1_500);
      await world.segment.setPort(world.hosts[0]!, "master", "br0");
      healedMillis = Date.now();
    });
    expect(longestGap(watched)).toBeLessThan(GAP_MILLIS);
    const other = watched.replies.findLast(([, mac]) => mac !== lastToAnswer(watched));
    expect(other![0] - healedMillis).toBeLessThan(400);
  });

  test("one that is told to stop hands over without a request unanswered", async () => {
    const watched = await watching(3, () => world.announcers[0]!.child.kill("SIGTERM"));
    expect(longestGap(watched)).toBeLessThan(100);
    expect(overlap(watched, world.hosts[0]!, world.hosts[1]!)).toBeLessThan(50);
    expect(lastToAnswer(watched)).toBe(world.hosts[1]!.mac);
    expect(readFileSync(world.announcers[0]!.log, "utf8")).toContain("addresses given up");
  });

  test("one that comes back listens first and leaves the address where it is", async () => {
    world.announcers[0]!.child.kill("SIGKILL");
    await settle(world.hosts[1]!);
    const watched = await watching(4, () => world.segment.announce(world.hosts[0]!, plan(...world.hosts)));
    expect(macsOf(watched)).toEqual(new Set([world.hosts[1]!.mac]));
    expect(longestGap(watched)).toBeLessThan(200);
  });
});

test("an address that is taken out of a node's plan is answered there until the next node has heard of it", async () => {
  world.hosts = [await world.segment.host("a", "192.168.1.10/24"), await world.segment.host("b", "192.168.1.11/24")];
  const [a, b] = world.hosts as [Host, Host];
  world.announcers = [await world.segment.announce(a, plan(a, b)), await world.segment.announce(b, [])];
  await settle(a);
  const watched = await watching(3, async () => {
    await world.announcers[0]!.plan([]);
    await pause(80);
    await world.announcers[1]!.plan(plan(b));
  });
  expect(longestGap(watched)).toBeLessThan(70);
  expect(overlap(watched, a, b)).toBeLessThan(50);
  expect(lastToAnswer(watched)).toBe(b.mac);
});

describe("hellos", () => {
  beforeEach(() => start(2));

  test("those that were recorded and are sent again, and forged ones, change nothing and are counted", async () => {
    const [first, second] = world.announcers as [Announcer, Announcer];
    const wire = await capture(world.client);
    await expect.poll(() => wire.since(0, "hello").length, { timeout: 5_000 }).toBeGreaterThanOrEqual(10);
    wire.stop();
    const old = wire
      .since(0, "hello")
      .filter((hello) => hello.source === world.hosts[0]!.mac)
      .slice(0, 5);
    const forged = old.map((hello) => `${hello.hex.slice(0, -2)}${hello.hex.endsWith("00") ? "01" : "00"}`);
    first.child.kill("SIGKILL");
    await settle(world.hosts[1]!);
    const script = `import socket,sys,time
s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); s.bind(("lan0",0))
for n in range(40):
  for body in sys.argv[1:]: s.send(b"\\xff"*6+bytes.fromhex("${world.hosts[0]!.mac.replaceAll(":", "")}")+b"\\x88\\xb5"+bytes.fromhex(body))
  time.sleep(0.05)`;
    const yields = await second.metric("berth_announcer_yields_total");
    const bodies = [...old.map(({ hex }) => hex), ...forged];
    const watched = await watching(4, () => world.segment.on(world.client, "python3", "-c", script, ...bodies));
    expect(macsOf(watched)).toEqual(new Set([world.hosts[1]!.mac]));
    expect(await second.metric("berth_announcer_yields_total")).toBe(yields);
    expect(longestGap(watched)).toBeLessThan(GAP_MILLIS);
    expect(await second.metric("berth_announcer_hellos_rejected_total", 'reason="forged"')).toBeGreaterThanOrEqual(100);
    expect(await second.metric("berth_announcer_hellos_rejected_total", 'reason="replayed"')).toBeGreaterThanOrEqual(
      100,
    );
  });

  test("a key is replaced without an answer lost and without two nodes answering", async () => {
    const watched = await watching(6, async () => {
      world.segment.key("keys", 2);
      await pause(2_500);
    });
    expect(macsOf(watched)).toEqual(new Set([world.hosts[0]!.mac]));
    expect(longestGap(watched)).toBeLessThan(200);
    for (const announcer of world.announcers) {
      expect(await announcer.metric("berth_announcer_hellos_rejected_total", 'reason="forged"')).toBe(0);
    }
  });

  test("a node without a key answers nothing", async () => {
    const alone = await world.segment.host("d", "192.168.1.14/24");
    const announcer = await world.segment.announce(alone, [{ ip: "192.168.1.210", nodes: [alone.namespace] }], {
      keys: "/nonexistent",
    });
    const { replies } = await world.segment.watch(world.client, "192.168.1.210", 2, 20);
    expect(replies).toEqual([]);
    expect(await announcer.metric("berth_announcer_silences_total", 'reason="noKey"')).toBeGreaterThan(0);
  });
});
