import { afterAll, beforeAll, expect, test } from "vitest";
import { Segment, type Host } from "../../hack/src/segment.ts";
import { capture } from "./capture.ts";

const segment = new Segment();
const hosts: Host[] = [];

beforeAll(async () => {
  await segment.open();
  for (const [name, address] of [
    ["watcher", "192.168.1.50/24"],
    ["sender", "192.168.1.51/24"],
  ] as const) {
    hosts.push(await segment.host(name, address));
  }
});
afterAll(async () => {
  await segment.close();
});

test("a capture has every frame of a burst, such as a node sends that takes over many addresses", async () => {
  const [watcher, sender] = hosts as [Host, Host];
  const FRAMES = 200;
  // Announcements (RFC 5227 §1.1) of 10.0.0.0, 10.0.0.1 and so on.
  const script = `import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("lan0", 0))
mac = bytes.fromhex("${sender.mac.replaceAll(":", "")}")
for n in range(${String(FRAMES)}):
  ip = bytes([10, 0, 0, n])
  s.send(b"\\xff" * 6 + mac + bytes.fromhex("0806" "0001080006040001") + mac + ip + bytes(6) + ip)`;
  const wire = await capture(watcher);
  try {
    await segment.on(sender, "python3", "-c", script);
    const announced = () => wire.since(0, "arp").filter(({ senderIp }) => senderIp.startsWith("10.0.0."));
    const all = Array.from({ length: FRAMES }, (_, n) => `10.0.0.${String(n)}`);
    await expect.poll(() => announced().map(({ senderIp }) => senderIp), { timeout: 5_000 }).toEqual(all);
  } finally {
    wire.stop();
  }
});
