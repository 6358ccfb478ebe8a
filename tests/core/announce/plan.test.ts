/** Who may announce, in which order and on which interfaces: MetalLB's rules, row by row, and Berth's own. */
import { describe, expect, it, test } from "vitest";
import type { L2AdvertisementInput } from "../../../core/announce/advertisement.ts";
import { summarizeEndpoints } from "../../../core/announce/endpoints.ts";
import type { AnnouncedService } from "../../../core/announce/plan-types.ts";
import { HashOrder } from "../../../core/announce/rank.ts";
import { addressFrom } from "../builders.ts";
import {
  IP,
  advertisement,
  candidates,
  lan,
  node,
  on,
  placedIn,
  plannerOf,
  problems,
  service,
  three,
} from "./planning.ts";

const excluded = { "node.kubernetes.io/exclude-from-external-load-balancers": "" };
const everywhere = ["node-3", "node-2", "node-1"];

describe("candidate base: every node, less those", () => {
  it("with the condition NetworkUnavailable", () => {
    expect(candidates({ nodes: [node("node-1", { networkUnavailable: true }), ...three.slice(1)] })).toEqual([
      ["node-3", "node-2"],
    ]);
  });

  it("with the exclude label, unless that is to be ignored", () => {
    const nodes = [node("node-1", { labels: excluded }), ...three.slice(1)];
    expect(candidates({ nodes })).toEqual([["node-3", "node-2"]]);
    expect(candidates({ nodes, ignoreExcludeLabel: true })).toEqual([everywhere]);
  });

  it("that no advertisement of the pool selects which takes in the Service", () => {
    const advertisements = [
      advertisement({ nodeSelectors: [on("node-1")] }),
      advertisement({ nodeSelectors: [on("node-2")], serviceSelectors: [{ matchLabels: { app: "db" } }] }),
      advertisement({ nodeSelectors: [on("node-3")], ipAddressPools: ["dmz"] }),
    ];
    expect(candidates({ advertisements })).toEqual([["node-1"]]);
  });
});

describe("an advertisement takes in an address", () => {
  const labelled = (zone: string) => [{ matchLabels: { zone } }];
  test.each<{ row: string; spec: L2AdvertisementInput["spec"]; isChosen: boolean }>([
    { row: "with neither names nor selectors: every pool", spec: {}, isChosen: true },
    { row: "by the pool's name", spec: { ipAddressPools: ["lan"] }, isChosen: true },
    { row: "not by a name that no pool has", spec: { ipAddressPools: ["nowhere"] }, isChosen: false },
    { row: "by the pool's labels", spec: { ipAddressPoolSelectors: labelled("home") }, isChosen: true },
    {
      row: "by any of several selectors",
      spec: { ipAddressPoolSelectors: [...labelled("work"), ...labelled("home")] },
      isChosen: true,
    },
    { row: "not by selectors that match no pool", spec: { ipAddressPoolSelectors: labelled("work") }, isChosen: false },
    {
      row: "by name or selector",
      spec: { ipAddressPools: ["lan"], ipAddressPoolSelectors: labelled("work") },
      isChosen: true,
    },
    { row: "by the Service's labels", spec: { serviceSelectors: [{ matchLabels: { app: "web" } }] }, isChosen: true },
    {
      row: "not by labels that the Service lacks",
      spec: { serviceSelectors: [{ matchLabels: { app: "db" } }] },
      isChosen: false,
    },
    { row: "not where no node is selected", spec: { nodeSelectors: [on("node-9")] }, isChosen: false },
    { row: "by any of several node selectors", spec: { nodeSelectors: [on("node-9"), on("node-1")] }, isChosen: true },
  ])("$row", ({ spec, isChosen }) => {
    const pools = [{ ...lan, labels: { zone: "home" } }];
    expect(candidates({ advertisements: [advertisement(spec)], pools })).toHaveLength(isChosen ? 1 : 0);
  });

  it("whose pool is gone, by the pool's name", () => {
    expect(candidates({ pools: [], advertisements: [advertisement({ ipAddressPools: ["lan"] })] })).toHaveLength(1);
  });
});

describe("endpoints", () => {
  const slice = (nodeName: string | undefined, conditions?: { ready?: boolean; serving?: boolean }) =>
    summarizeEndpoints([{ endpoints: [{ nodeName, conditions }] }]);
  test.each<{ row: string; endpoints: AnnouncedService["endpoints"]; cluster: string[]; local: string[] }>([
    { row: "none at all", endpoints: summarizeEndpoints([]), cluster: [], local: [] },
    { row: "ready", endpoints: slice("node-1", { ready: true }), cluster: everywhere, local: ["node-1"] },
    { row: "ready unknown", endpoints: slice("node-1", {}), cluster: everywhere, local: ["node-1"] },
    {
      row: "ready though not serving, as publishNotReadyAddresses makes them",
      endpoints: slice("node-1", { ready: true, serving: false }),
      cluster: everywhere,
      local: ["node-1"],
    },
    {
      row: "not ready but still serving",
      endpoints: slice("node-1", { ready: false, serving: true }),
      cluster: everywhere,
      local: ["node-1"],
    },
    { row: "neither", endpoints: slice("node-1", { ready: false, serving: false }), cluster: [], local: [] },
    { row: "on no node, as gateways make them", endpoints: slice(undefined), cluster: everywhere, local: everywhere },
    { row: "on a node that is none", endpoints: slice("elsewhere"), cluster: everywhere, local: [] },
  ])("$row", ({ endpoints, cluster, local }) => {
    const at = (externalTrafficPolicy: string) =>
      candidates({ services: [service({ endpoints, externalTrafficPolicy })] })[0] ?? [];
    expect(at("Cluster")).toEqual(cluster);
    expect(at("Local")).toEqual(local);
  });
});

describe("shared addresses", () => {
  const dns = (parts: Partial<AnnouncedService> = {}) => service({ name: "dns", labels: { app: "dns" }, ...parts });
  const for_ = (app: string, spec: L2AdvertisementInput["spec"] = {}) =>
    advertisement({ serviceSelectors: [{ matchLabels: { app } }], ...spec });

  it("are announced by one node, in one order for all sharers", () => {
    expect(candidates({ services: [service(), dns()] })).toEqual([everywhere, everywhere]);
  });

  it("are announced though an advertisement has serviceSelectors, where every sharer is taken in", () => {
    expect(candidates({ services: [service(), dns()], advertisements: [for_("web"), for_("dns")] })).toHaveLength(2);
  });

  it("are not announced where a sharer is taken in by no advertisement, and each says whose fault it is", () => {
    expect(problems({ services: [service(), dns()], advertisements: [for_("web")] })).toMatchObject([
      { service: { name: "web" }, reason: "sharerNotAdvertised", sharer: { namespace: "default", name: "dns" } },
      { service: { name: "dns" }, reason: "noMatchingAdvertisement" },
    ]);
  });

  it("have as candidates the nodes that all sharers agree on", () => {
    const advertisements = [
      for_("web", { nodeSelectors: [on("node-1"), on("node-2")] }),
      for_("dns", { nodeSelectors: [on("node-2"), on("node-3")] }),
    ];
    expect(candidates({ services: [service(), dns()], advertisements })).toEqual([["node-2"], ["node-2"]]);
  });

  it("are announced on the interfaces that all sharers agree on, and on no node where there is none", () => {
    const shared = [service(), dns()];
    const agreed = [for_("web", { interfaces: ["lan0", "lan1"] }), for_("dns", { interfaces: ["lan1", "lan2"] })];
    const planner = plannerOf({ services: shared, advertisements: agreed });
    expect(planner.planOf("node-1")?.vips).toEqual([{ ip: IP, nodes: everywhere, interfaces: ["lan1"] }]);
    const apart = [for_("web", { interfaces: ["lan0"] }), for_("dns", { interfaces: ["lan1"] })];
    expect(problems({ services: shared, advertisements: apart })[0]).toMatchObject({
      reason: "noEligibleNode",
      nodes: [{ reason: "sharersDisagree" }, { reason: "sharersDisagree" }, { reason: "sharersDisagree" }],
    });
  });

  it("need an endpoint of one sharer, and the other's own address one of its own", () => {
    const none = { nodes: [], anywhere: false };
    const both = service({ addresses: [addressFrom(IP), addressFrom("fd00::1")], endpoints: none });
    const placed = placedIn({ services: [both, dns()] });
    expect(placed).toMatchObject([
      { ip: IP, isAnnounced: true },
      { ip: "fd00::1", isAnnounced: false, problem: { reason: "noEndpoints" } },
      { ip: IP, isAnnounced: true },
    ]);
  });

  it("with traffic policy Local are announced where every sharer has an endpoint, else where any has one", () => {
    const local = (nodes: readonly string[]) => ({
      externalTrafficPolicy: "Local",
      endpoints: { nodes, anywhere: false },
    });
    const order = (web: readonly string[], other: readonly string[]) =>
      candidates({ services: [service(local(web)), dns(local(other))] })[0];
    expect(order(["node-1", "node-2"], ["node-2", "node-3"])).toEqual(["node-2"]);
    expect(order(["node-1"], ["node-3"])).toEqual(["node-3", "node-1"]);
    expect(order(["node-1"], [])).toEqual(["node-1"]);
  });

  it("keep the addresses of all on one node, also where they are shared by way of a third", () => {
    const [a, b, c] = ["10.0.0.2", "10.0.0.3", "10.0.0.4"].map(addressFrom);
    const services = [
      service({ name: "x", addresses: [c!, b!] }),
      service({ name: "y", addresses: [b!, a!] }),
      service({ name: "z", addresses: [a!] }),
    ];
    const orders = candidates({ services });
    expect(orders).toHaveLength(5);
    expect(new Set(orders.map((order) => order.join())).size).toBe(1);
  });
});

describe("election", () => {
  const preferring = (name: string, weight: number) => ({ weight, preference: on(name) });

  it("1: by the sum of the weights over all advertisements that take in the Service", () => {
    const advertisements = [
      advertisement({ preferredNodeSelectors: [preferring("node-1", 60), preferring("node-2", 50)] }),
      advertisement({ preferredNodeSelectors: [preferring("node-2", 50)], nodeSelectors: [on("node-1")] }),
      advertisement({ preferredNodeSelectors: [preferring("node-3", 100)], ipAddressPools: ["dmz"] }),
    ];
    expect(candidates({ advertisements })).toEqual([["node-2", "node-1", "node-3"]]);
  });

  it("1: of eligible nodes alone", () => {
    const advertisements = [
      advertisement({ nodeSelectors: [on("node-1")], preferredNodeSelectors: [preferring("node-2", 100)] }),
    ];
    expect(candidates({ advertisements })).toEqual([["node-1"]]);
  });

  it("1: the same weight twice counts twice", () => {
    const twice = [preferring("node-1", 30), preferring("node-1", 30)];
    const advertisements = [advertisement({ preferredNodeSelectors: [...twice, preferring("node-2", 50)] })];
    expect(candidates({ advertisements })).toEqual([["node-1", "node-2", "node-3"]]);
  });

  it("2: then by MetalLB's hash of the node and the Service's first address, for all its addresses", () => {
    const services = [service({ addresses: [addressFrom("2001:db8::1"), addressFrom(IP)] })];
    const order = ["node-1", "node-2", "node-3"];
    expect(candidates({ services })).toEqual([order, order]);
  });

  it("2: of Services that share, by the lowest of their first addresses", () => {
    const services = [
      service({ name: "a", addresses: [addressFrom("2001:db8::1"), addressFrom(IP)] }),
      service({ name: "b", addresses: [addressFrom(IP)] }),
    ];
    expect(candidates({ services })).toEqual([everywhere, everywhere, everywhere]);
  });

  it("nodes that are not ready come last, preferred or not", () => {
    const nodes = [node("node-1", { ready: false }), ...three.slice(1)];
    const advertisements = [advertisement({ preferredNodeSelectors: [preferring("node-1", 100)] })];
    expect(candidates({ nodes, advertisements })).toEqual([everywhere]);
  });

  it("five candidates at most", () => {
    const nodes = Array.from({ length: 9 }, (_, i) => node(`node-${String(i)}`));
    const names = nodes.map(({ name }) => name);
    expect(candidates({ nodes })).toEqual([new HashOrder().first(IP, names, 5)]);
  });
});

describe("interfaces", () => {
  const interfacesOn = (name: string, ...specs: readonly L2AdvertisementInput["spec"][]) =>
    plannerOf({ advertisements: specs.map(advertisement) }).planOf(name)?.vips[0]?.interfaces;

  it("are those of all advertisements that select the node and take in the Service", () => {
    const here = { interfaces: ["lan1", "lan0"], nodeSelectors: [on("node-1"), on("node-2")] };
    const too = { interfaces: ["lan0", "wan0"], nodeSelectors: [on("node-1")] };
    const otherService = { interfaces: ["wan9"], serviceSelectors: [{ matchLabels: { app: "db" } }] };
    expect(interfacesOn("node-1", here, too, otherService)).toEqual(["lan0", "lan1", "wan0"]);
    expect(interfacesOn("node-2", here, too, otherService)).toEqual(["lan0", "lan1"]);
  });

  it("are all, where one of them names none", () => {
    expect(interfacesOn("node-1", { interfaces: ["lan0"] }, {})).toBeUndefined();
    expect(interfacesOn("node-1", { interfaces: ["lan0"] }, { nodeSelectors: [on("node-2")] })).toEqual(["lan0"]);
  });
});

describe("a node's plan", () => {
  it("is empty for a node that may announce nothing", () => {
    const nodes = [...three, node("node-4", { networkUnavailable: true })];
    expect(plannerOf({ nodes }).planOf("node-4")).toEqual({ vips: [], rebalanced: {} });
  });

  it("is none for a node that there is not", () => {
    expect(plannerOf().planOf("node-9")).toBeUndefined();
  });

  it("lists its addresses in order", () => {
    const services = ["10.0.0.10", "fc00::1", "10.0.0.9"].map((ip) =>
      service({ name: ip, addresses: [addressFrom(ip)] }),
    );
    const plan = plannerOf({ services }).planOf("node-1");
    expect(plan?.vips.map(({ ip }) => ip)).toEqual(["10.0.0.9", "10.0.0.10", "fc00::1"]);
  });
});

describe("an address that nobody announces says why", () => {
  it("without endpoints", () => {
    const services = [service({ endpoints: { nodes: [], anywhere: false } })];
    expect(problems({ services })).toMatchObject([{ ip: IP, pool: "network/lan", reason: "noEndpoints", nodes: [] }]);
  });

  it("without an advertisement", () => {
    expect(problems({ advertisements: [] })).toMatchObject([{ reason: "noMatchingAdvertisement" }]);
  });

  it("for every node, where none may", () => {
    const nodes = [
      node("d"),
      node("c", { labels: {} }),
      node("b", { labels: excluded }),
      node("a", { networkUnavailable: true }),
    ];
    const advertisements = [advertisement({ nodeSelectors: [on("d")] })];
    const services = [service({ externalTrafficPolicy: "Local" })];
    expect(problems({ nodes, advertisements, services })).toMatchObject([
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
