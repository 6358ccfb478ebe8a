/** Nodes that lack the interfaces that advertisements name: they stand in nobody's way. */
import { describe, expect, it } from "vitest";
import { addressFrom } from "../builders.ts";
import { advertisement, IP, keyOf, node, plannerOf, report, service } from "./planning.ts";

const NODES = Array.from({ length: 8 }, (_, index) => node(`node-${String(index + 1)}`));
const names = NODES.map(({ name }) => name);
const onVlan = [advertisement({ interfaces: ["vlan20"] })];
/** Forty Services, since each address has an order of nodes of its own. */
const services = Array.from({ length: 40 }, (_, index) =>
  service({ name: `s-${String(index)}`, addresses: [addressFrom(`10.0.1.${String(index)}`)] }),
);

const begin = (advertisements = onVlan) => plannerOf({ nodes: NODES, services, advertisements });
type Begun = ReturnType<typeof begin>;

/** Has every node say which interfaces it has. */
function tell(planner: Begun, links: (name: string) => readonly string[] | undefined): void {
  for (const name of names) planner.setReport(name, report([], [], links(name)));
  planner.update();
}

/** The candidates of each address, in order. */
const ordersIn = (planner: Begun): readonly (readonly string[])[] =>
  services.map((one) => planner.placed(keyOf(one)).flatMap((placed) => (placed.isAnnounced ? placed.nodes : [])));

/** Every node that is a candidate of some address, and how many candidates the addresses have. */
function candidatesOf(planner: Begun): { readonly nodes: readonly string[]; readonly counts: readonly number[] } {
  const lists = ordersIn(planner);
  return { nodes: [...new Set(lists.flat())].toSorted(), counts: [...new Set(lists.map(({ length }) => length))] };
}

describe("an interface that an advertisement names", () => {
  it("makes candidates of the nodes that have it, however many have not", () => {
    const planner = begin();
    tell(planner, (name) => (name === "node-3" || name === "node-7" ? ["lan0", "vlan20"] : ["lan0"]));
    expect(candidatesOf(planner)).toEqual({ nodes: ["node-3", "node-7"], counts: [2] });
  });

  it("is taken to be there where a node does not say", () => {
    const planner = begin();
    tell(planner, (name) => (name === "node-3" ? undefined : ["lan0"]));
    expect(candidatesOf(planner)).toEqual({ nodes: ["node-3"], counts: [1] });
  });

  it("that no node has changes nothing, so that each says so", () => {
    const planner = begin();
    const before = candidatesOf(planner);
    tell(planner, () => ["lan0"]);
    expect(candidatesOf(planner)).toEqual(before);
    expect(before.counts).toEqual([5]);
  });

  it("that comes makes a candidate of its node, behind the one that answers", () => {
    const planner = begin();
    tell(planner, (name) => (name === "node-3" ? ["vlan20"] : ["lan0"]));
    planner.setReport(
      "node-3",
      report(
        services.map(({ name }) => `10.0.1.${name.slice(2)}`),
        ["vlan20"],
        ["vlan20"],
      ),
    );
    planner.setReport("node-7", report([], [], ["vlan20"]));
    planner.update();
    for (const order of ordersIn(planner)) expect(order).toEqual(["node-3", "node-7"]);
  });

  it("that goes from the node that answers moves the address", () => {
    const planner = plannerOf({ nodes: NODES, services: [service()], advertisements: onVlan });
    for (const name of names) planner.setReport(name, report(name === "node-3" ? [IP] : [], ["vlan20"], ["vlan20"]));
    planner.update();
    expect(planner.planOf("node-3")?.vips.map(({ nodes }) => nodes[0])).toEqual(["node-3"]);
    planner.setReport("node-3", report([], [], ["lan0"]));
    planner.update();
    expect(planner.planOf("node-3")?.vips).toEqual([]);
  });

  it("does not matter where another advertisement names none", () => {
    const planner = begin([...onVlan, advertisement()]);
    const before = candidatesOf(planner);
    tell(planner, () => ["lan0"]);
    expect(candidatesOf(planner)).toEqual(before);
  });
});
