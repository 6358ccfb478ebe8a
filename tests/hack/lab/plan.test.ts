import { expect, test } from "vitest";
import { MAX_NODES, namespaces, planLab } from "../../../hack/src/lab/plan.ts";

const everyPort = (ipv6: boolean) => {
  const plan = planLab(MAX_NODES, ipv6);
  return [...plan.hosts, ...plan.nodes].flatMap(({ ports }) => ports);
};

test.each([false, true])("gives no address and no MAC twice (ipv6 %s)", (ipv6) => {
  const ports = everyPort(ipv6);
  const addresses = ports.flatMap((port) => port.addresses);
  expect(new Set(addresses).size).toBe(addresses.length);
  expect(new Set(ports.map(({ mac }) => mac)).size).toBe(ports.length);
});

test("gives the first node its documented addresses", () => {
  expect(planLab(1, false).nodes[0]).toEqual({
    name: "node-1",
    index: 1,
    mgmt: ["172.30.0.11"],
    podCidrs: ["10.244.1.0/24"],
    ports: [
      { name: "lan0", bridge: "lan", mac: "02:be:00:00:01:0b", addresses: ["192.168.1.11/24", "fd00:1::11/64"] },
      { name: "mgmt0", bridge: "mgmt", mac: "02:be:00:00:30:0b", addresses: ["172.30.0.11/24"] },
    ],
  });
});

test("is dual-stack for pods and Services only when asked, and always on the LAN", () => {
  expect(planLab(1, true).nodes[0]?.podCidrs).toEqual(["10.244.1.0/24", "fd00:10:244:1::/64"]);
  expect(planLab(1, true).serviceCidrs).toHaveLength(2);
  expect(planLab(1, false).serviceCidrs).toHaveLength(1);
  expect(planLab(1, false).hosts.find(({ name }) => name === "client")?.ports[0]?.addresses).toHaveLength(2);
});

test("keeps the control plane off the LAN and the client off the management network", () => {
  const bridges = planLab(1, false).hosts.map(({ name, ports }) => [name, ports.map(({ bridge }) => bridge)]);
  expect(bridges).toEqual([
    ["control", ["mgmt"]],
    ["router", ["lan"]],
    ["client", ["lan"]],
  ]);
});

test("names every namespace, the switch among them", () => {
  expect(namespaces(planLab(2, false))).toEqual(["switch", "control", "router", "client", "node-1", "node-2"]);
});
