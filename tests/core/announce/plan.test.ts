import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { L2AdvertisementInput } from "../../../core/announce/advertisement.ts";
import { parseAdvertisement } from "../../../core/announce/advertisement.ts";
import type { AnnouncedService, PlanInput, PlanNode } from "../../../core/announce/plan-types.ts";
import { planAnnouncements } from "../../../core/announce/plan.ts";
import { rankNodes } from "../../../core/announce/rank.ts";
import { addressFrom, poolFrom, valueOf } from "../builders.ts";

const IP = "10.0.0.1"; // MetalLB's order of node-1 to node-3 for it: 3, 2, 1

const advertisement = (spec: L2AdvertisementInput["spec"] = {}) =>
  valueOf(parseAdvertisement({ metadata: { name: "l2", namespace: "network" }, spec }));

const node = (name: string, parts: Partial<PlanNode> = {}): PlanNode => ({
  name,
  labels: { "kubernetes.io/hostname": name },
  ready: true,
  networkUnavailable: false,
  ...parts,
});

const service = (parts: Partial<AnnouncedService> = {}): AnnouncedService => ({
  namespace: "default",
  name: "web",
  labels: { app: "web" },
  addresses: [addressFrom(IP)],
  pool: "network/lan",
  endpoints: { nodes: ["node-1"], anywhere: false },
  ...parts,
});

const three = [node("node-1"), node("node-2"), node("node-3")];

const input = (parts: Partial<PlanInput> = {}): PlanInput => ({
  services: [service()],
  pools: [poolFrom("lan", ["10.0.0.0/24"])],
  advertisements: [advertisement()],
  nodes: three,
  ...parts,
});

const candidates = (parts: Partial<PlanInput>) => planAnnouncements(input(parts)).announced.map(({ nodes }) => nodes);
const on = (name: string) => ({ matchLabels: { "kubernetes.io/hostname": name } });

describe("the candidates of an address", () => {
  it("stand in MetalLB's order", () => {
    expect(candidates({})).toEqual([["node-3", "node-2", "node-1"]]);
  });

  it("begin with the node that answers now", () => {
    expect(candidates({ answering: new Map([[IP, "node-1"]]) })).toEqual([["node-1", "node-3", "node-2"]]);
  });

  it("forget the node that answers now when it may no more", () => {
    const nodes = [node("node-1", { networkUnavailable: true }), node("node-2"), node("node-3")];
    expect(candidates({ nodes, answering: new Map([[IP, "node-1"]]) })).toEqual([["node-3", "node-2"]]);
  });

  it("are ordered by preference before anything but the node that answers now", () => {
    const preferred = [1, 2].map((count) =>
      advertisement({ preferredNodeSelectors: [{ weight: count, preference: on(`node-${String(count)}`) }] }),
    );
    expect(candidates({ advertisements: preferred })).toEqual([["node-2", "node-1", "node-3"]]);
  });

  it("end with the nodes that are not ready", () => {
    const nodes = [node("node-1"), node("node-2"), node("node-3", { ready: false })];
    expect(candidates({ nodes })).toEqual([["node-2", "node-1", "node-3"]]);
  });

  it("end with the node that answers now once it is not ready, since a dead one would keep its addresses", () => {
    const nodes = [node("node-1"), node("node-2"), node("node-3", { ready: false })];
    expect(candidates({ nodes, answering: new Map([[IP, "node-3"]]) })).toEqual([["node-2", "node-1", "node-3"]]);
  });

  it("end with the nodes that are not ready, preferred or not", () => {
    const nodes = [node("node-1", { ready: false }), node("node-2"), node("node-3")];
    const preferring = [advertisement({ preferredNodeSelectors: [{ weight: 100, preference: on("node-1") }] })];
    expect(candidates({ nodes, advertisements: preferring })).toEqual([["node-3", "node-2", "node-1"]]);
  });

  it("are five at most", () => {
    const nodes = Array.from({ length: 9 }, (_, i) => node(`node-${String(i)}`));
    const order = rankNodes(
      IP,
      nodes.map(({ name }) => name),
    ).slice(0, 5);
    expect(candidates({ nodes })).toEqual([order]);
  });

  it("are ordered alike for all addresses of a Service", () => {
    const services = [service({ addresses: [addressFrom(IP), addressFrom("fc00::1")] })];
    const [first, second] = candidates({ services });
    expect(first).toEqual(second);
  });

  it("are the nodes with an endpoint, where the traffic policy is Local", () => {
    const local = { externalTrafficPolicy: "Local" };
    const somewhere = { endpoints: { nodes: ["node-1", "node-2"], anywhere: false } };
    expect(candidates({ services: [service({ ...local, ...somewhere })] })).toEqual([["node-2", "node-1"]]);
  });

  it("are all nodes, where the traffic policy is Local and an endpoint is on no node", () => {
    const services = [service({ externalTrafficPolicy: "Local", endpoints: { nodes: [], anywhere: true } })];
    expect(candidates({ services })).toEqual([["node-3", "node-2", "node-1"]]);
  });

  it("leave out excluded nodes, unless the label is to be ignored", () => {
    const labels = { "node.kubernetes.io/exclude-from-external-load-balancers": "" };
    const nodes = [node("node-1", { labels }), node("node-2"), node("node-3")];
    expect(candidates({ nodes })).toEqual([["node-3", "node-2"]]);
    expect(candidates({ nodes, ignoreExcludeLabel: true })).toEqual([["node-3", "node-2", "node-1"]]);
  });
});

describe("advertisements choose", () => {
  test.each<{ spec: L2AdvertisementInput["spec"]; chosen: boolean }>([
    { spec: { ipAddressPools: ["lan"] }, chosen: true },
    { spec: { ipAddressPools: ["dmz"] }, chosen: false },
    { spec: { ipAddressPoolSelectors: [{ matchLabels: { zone: "home" } }] }, chosen: true },
    { spec: { ipAddressPoolSelectors: [{ matchLabels: { zone: "work" } }] }, chosen: false },
    { spec: { ipAddressPools: ["lan"], ipAddressPoolSelectors: [{ matchLabels: { zone: "work" } }] }, chosen: true },
    { spec: { serviceSelectors: [{ matchLabels: { app: "web" } }] }, chosen: true },
    { spec: { serviceSelectors: [{ matchLabels: { app: "db" } }] }, chosen: false },
    { spec: { nodeSelectors: [on("node-9")] }, chosen: false },
  ])("with $spec the address: $chosen", ({ spec, chosen }) => {
    const pools = [{ ...poolFrom("lan", ["10.0.0.0/24"]), labels: { zone: "home" } }];
    expect(candidates({ advertisements: [advertisement(spec)], pools }).length).toBe(chosen ? 1 : 0);
  });

  it("an address whose pool is gone by the pool's name", () => {
    expect(candidates({ pools: [], advertisements: [advertisement({ ipAddressPools: ["lan"] })] })).toHaveLength(1);
  });
});

describe("a node's plan", () => {
  it("names the interfaces of all advertisements that chose the node, and none where one names none", () => {
    const advertisements = [
      advertisement({ interfaces: ["lan1", "lan0"], nodeSelectors: [on("node-1"), on("node-2")] }),
      advertisement({ interfaces: ["lan0", "wan0"], nodeSelectors: [on("node-1")] }),
      advertisement({ nodeSelectors: [on("node-3")] }),
    ];
    const { perNode } = planAnnouncements(input({ advertisements }));
    const nodes = ["node-3", "node-2", "node-1"];
    expect(perNode.get("node-1")).toEqual([{ ip: IP, nodes, interfaces: ["lan0", "lan1", "wan0"] }]);
    expect(perNode.get("node-2")).toEqual([{ ip: IP, nodes, interfaces: ["lan0", "lan1"] }]);
    expect(perNode.get("node-3")).toEqual([{ ip: IP, nodes }]);
  });

  it("is empty for a node that may announce nothing", () => {
    const { perNode } = planAnnouncements(input({ nodes: [...three, node("node-4", { networkUnavailable: true })] }));
    expect(perNode.get("node-4")).toEqual([]);
  });

  it("lists its addresses in order", () => {
    const services = ["10.0.0.10", "fc00::1", "10.0.0.9"].map((ip) =>
      service({ name: ip, addresses: [addressFrom(ip)] }),
    );
    const { perNode } = planAnnouncements(input({ services }));
    expect(perNode.get("node-1")?.map(({ ip }) => ip)).toEqual(["10.0.0.9", "10.0.0.10", "fc00::1"]);
  });
});

describe("an address that nobody announces says why", () => {
  const none = (parts: Partial<PlanInput>) => planAnnouncements(input(parts)).notAnnounced;

  it("without endpoints", () => {
    const services = [service({ endpoints: { nodes: [], anywhere: false } })];
    expect(none({ services })).toMatchObject([{ ip: IP, pool: "network/lan", reason: "noEndpoints", nodes: [] }]);
  });

  it("without an advertisement", () => {
    expect(none({ advertisements: [] })).toMatchObject([{ reason: "noMatchingAdvertisement" }]);
  });

  it("for every node, where none may", () => {
    const nodes = [
      node("d"),
      node("c", { labels: {} }),
      node("b", { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } }),
      node("a", { networkUnavailable: true }),
    ];
    const advertisements = [advertisement({ nodeSelectors: [on("d")] })];
    expect(none({ nodes, advertisements, services: [service({ externalTrafficPolicy: "Local" })] })).toMatchObject([
      {
        reason: "noEligibleNode",
        nodes: [
          { node: "a", reason: "networkUnavailable" },
          { node: "b", reason: "excludedByLabel" },
          { node: "c", reason: "notSelected" },
          { node: "d", reason: "noLocalEndpoint" },
        ],
      },
    ]);
  });
});

it("the order of the input's lists changes nothing", () => {
  const services = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((ip) =>
    service({ name: ip, addresses: [addressFrom(ip)] }),
  );
  const advertisements = [
    advertisement({ interfaces: ["lan0"] }),
    advertisement({ interfaces: ["lan1"], nodeSelectors: [on("node-1")] }),
  ];
  const whole = input({ services, advertisements });
  const shuffled = fc.tuple(
    fc.shuffledSubarray(services, { minLength: 3 }),
    fc.shuffledSubarray(advertisements, { minLength: 2 }),
    fc.shuffledSubarray(three, { minLength: 3 }),
  );
  const plan = planAnnouncements(whole);
  fc.assert(
    fc.property(shuffled, ([someServices, someAdvertisements, nodes]) => {
      const other = planAnnouncements({ ...whole, services: someServices, advertisements: someAdvertisements, nodes });
      expect(other).toEqual(plan);
      expect([...other.perNode.keys()]).toEqual([...plan.perNode.keys()]);
    }),
  );
});

it("a node that comes back moves no address", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.nat({ max: 2 }), (ip, back) => {
      const services = [service({ addresses: [addressFrom(ip)] })];
      const before = planAnnouncements(input({ services, nodes: three.toSpliced(back, 1) }));
      const answering = new Map(before.announced.map((one) => [one.ip, one.nodes[0] ?? ""]));
      const after = planAnnouncements(input({ services, answering }));
      expect(after.announced[0]?.nodes[0]).toBe(before.announced[0]?.nodes[0]);
    }),
  );
});
