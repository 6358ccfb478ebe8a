import { expect, test } from "vitest";
import {
  hostScript,
  nodeScript,
  settingsScript,
  switchPort,
  switchScript,
} from "../../../hack/src/lab/network-script.ts";
import { mountsBelow } from "../../../hack/src/lab/network.ts";
import { MAX_NODES, planLab, type LabPlan } from "../../../hack/src/lab/plan.ts";

const plan = planLab(2, true);
const nodeText = (of: LabPlan) => nodeScript(of, of.nodes[0]!);

test("gives each node a port on both bridges, the other end in its namespace", () => {
  const lines = switchScript(plan, (name) => `/ns/${name}`).split("\n");
  expect(lines).toContain("link add lan-node-1 type veth peer name lan0 address 02:be:00:00:01:0b netns /ns/node-1");
  expect(lines).toContain("link set mgmt-node-2 master mgmt up");
});

test("keeps every interface name within the kernel's 15 characters", () => {
  const { nodes, hosts } = planLab(MAX_NODES, true);
  const names = [...nodes, ...hosts].flatMap(({ name, ports }) => ports.map(({ bridge }) => switchPort(bridge, name)));
  expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(15);
});

test("reaches other nodes' pods over the management network, in both families", () => {
  expect(nodeText(plan)).toContain("route add 10.244.2.0/24 via 172.30.0.12");
  expect(nodeText(plan)).toContain("route add fd00:10:244:2::/64 via fd00:30::12");
  expect(nodeText(plan)).not.toContain("route add 10.244.1.0/24");
});

test("reaches Services without the LAN, so that cutting the LAN does not cut the API server", () => {
  expect(nodeText(plan)).toContain("route add 10.96.0.0/16 dev mgmt0");
});

test("hides pods behind their node on the LAN only", () => {
  expect(nodeText(plan)).toContain('oifname "lan0" ip saddr 10.244.0.0/16 masquerade');
  expect(nodeText(plan)).toContain('oifname "lan0" ip6 saddr fd00:10:244::/48 masquerade');
  expect(nodeText(plan)).not.toContain('mgmt0" ip');
});

test("has no IPv6 for pods in an IPv4 lab", () => {
  expect(nodeText(planLab(2, false))).not.toContain("fd00:10");
});

test("lets the control plane reach pods, and the client only its router", () => {
  const text = (name: string) => hostScript(plan, plan.hosts.find((host) => host.name === name)!);
  expect(text("control")).toContain("route add 10.244.1.0/24 via 172.30.0.11");
  expect(text("client")).toContain("route add default via 192.168.1.1");
  expect(text("client")).not.toContain("172.30");
  expect(text("router")).not.toContain("default");
});

test("lets only nodes forward", () => {
  expect(settingsScript(true)).toContain("ipv4/ip_forward");
  expect(settingsScript(false)).not.toContain("ip_forward");
});

test("finds the mounts below a folder, deepest first, and no others", () => {
  const mountinfo = [
    "27 1 254:0 / / rw - ext4 /dev/vda rw",
    "90 27 0:4 net:[1] /s/berth/two/netns/switch rw - nsfs nsfs rw",
    "91 27 0:4 net:[2] /s/berth/two/netns/switch/deeper\\040still rw - nsfs nsfs rw",
    "92 27 0:4 net:[3] /s/berth/twofold/netns/switch rw - nsfs nsfs rw",
  ].join("\n");
  expect(mountsBelow(mountinfo, "/s/berth/two")).toEqual([
    "/s/berth/two/netns/switch/deeper still",
    "/s/berth/two/netns/switch",
  ]);
});
