/** The node that answers now stays first while it may; what is remembered of that outlives the operator. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Planner } from "../../../core/announce/planner.ts";
import { addressFrom } from "../builders.ts";
import {
  IP,
  advertisement,
  candidates,
  lan,
  leasesOf,
  node,
  on,
  plannerOf,
  plansOf,
  report,
  service,
  three,
} from "./planning.ts";

/** The candidates of the address after the changes. */
function orderIn(planner: Planner): readonly string[] {
  planner.update();
  const [placed] = planner.placed("default/web");
  return placed?.isAnnounced === true ? placed.nodes : [];
}

const unready = (name: string) => node(name, { ready: false });

describe("the node that answers now", () => {
  it("stays first", () => {
    expect(candidates({ answering: { "node-1": [IP] } })).toEqual([["node-1", "node-3", "node-2"]]);
  });

  it("stays first for all addresses of its Services", () => {
    const services = [service({ addresses: [addressFrom(IP), addressFrom("fc00::1")] })];
    const order = ["node-1", "node-3", "node-2"];
    expect(candidates({ services, answering: { "node-1": ["fc00::1"] } })).toEqual([order, order]);
  });

  it("stays first, whatever is preferred", () => {
    const preferredNodeSelectors = [{ weight: 100, preference: on("node-2") }];
    const advertisements = [advertisement({ preferredNodeSelectors })];
    expect(candidates({ advertisements, answering: { "node-1": [IP] } })).toEqual([["node-1", "node-2", "node-3"]]);
  });

  it("is forgotten when it may no more", () => {
    const nodes = [node("node-1", { networkUnavailable: true }), ...three.slice(1)];
    expect(candidates({ nodes, answering: { "node-1": [IP] } })).toEqual([["node-3", "node-2"]]);
  });

  it("is behind those that are ready when it is not, since a dead one would keep its addresses", () => {
    const nodes = [unready("node-1"), ...three.slice(1)];
    expect(candidates({ nodes, answering: { "node-1": [IP] } })).toEqual([["node-3", "node-2", "node-1"]]);
  });

  it("stays first among nodes of which none is ready", () => {
    const nodes = ["node-1", "node-2", "node-3"].map(unready);
    expect(candidates({ nodes, answering: { "node-1": [IP] } })).toEqual([["node-1", "node-3", "node-2"]]);
  });

  it("is the one that began last, since the report of a dead one stays behind", () => {
    const planner = plannerOf({ answering: { "node-3": [IP] } });
    planner.setReport("node-1", report([IP]));
    expect(orderIn(planner)).toEqual(["node-1", "node-3", "node-2"]);
    planner.setReport("node-3", report([IP], ["lan1"]));
    expect(orderIn(planner)).toEqual(["node-1", "node-3", "node-2"]);
  });

  it("is the first in the plan, where several were found answering", () => {
    const answering = { "node-1": [IP], "node-2": [IP] };
    const written = leasesOf(plansOf(plannerOf({ answering: { "node-2": [IP] } })));
    expect(candidates({ answering, written })).toEqual([["node-2", "node-3", "node-1"]]);
  });

  it("is the first in the plan, where nobody says so", () => {
    const planner = plannerOf({ answering: { "node-1": [IP] } });
    planner.setReport("node-1", undefined);
    expect(orderIn(planner)).toEqual(["node-1", "node-3", "node-2"]);
    const written = leasesOf(plansOf(planner));
    expect(candidates({ written })).toEqual([["node-1", "node-3", "node-2"]]);
  });
});

it("what nobody announces any more is forgotten, as it would be if the operator began anew", () => {
  const planner = plannerOf({ answering: { "node-1": [IP] } });
  planner.setReport("node-1", undefined);
  planner.setService("default/web", service({ endpoints: { nodes: [], anywhere: false } }));
  expect(orderIn(planner)).toEqual([]);
  planner.setService("default/web", service());
  expect(orderIn(planner)).toEqual(["node-3", "node-2", "node-1"]);
});

it("a node that comes back moves no address", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.nat({ max: 2 }), (ip, back) => {
      const planner = plannerOf({
        services: [service({ addresses: [addressFrom(ip)] })],
        nodes: three.toSpliced(back, 1),
      });
      const [first] = orderIn(planner);
      const returning = three[back]!;
      planner.setNode(returning.name, returning);
      expect(orderIn(planner)[0]).toBe(first);
    }),
  );
});

describe("rebalancing", () => {
  const wanting = (rebalance: string | undefined) => [{ ...lan, rebalance }];
  const moved = () => plannerOf({ answering: { "node-1": [IP] } });

  it("moves an address back to the node that would have it if it were new, for each new value once", () => {
    const planner = moved();
    planner.setPools(wanting("1"));
    expect(orderIn(planner)).toEqual(["node-3", "node-2", "node-1"]);
    planner.setReport("node-1", undefined);
    planner.setReport("node-3", report([IP]));
    planner.update();
    planner.setReport("node-3", undefined);
    planner.setReport("node-2", report([IP]));
    expect(orderIn(planner)).toEqual(["node-2", "node-3", "node-1"]);
    planner.setPools(wanting("2"));
    expect(orderIn(planner)).toEqual(["node-3", "node-2", "node-1"]);
  });

  it("goes on until the node has taken over, though the other one still answers", () => {
    const planner = moved();
    planner.setPools(wanting("1"));
    expect(orderIn(planner)[0]).toBe("node-3");
    planner.setReport("node-1", report([IP], ["lan1"]));
    expect(orderIn(planner)[0]).toBe("node-3");
    expect(planner.planOf("node-1")?.vips).toMatchObject([{ moving: true }]);
    planner.setReport("node-3", report([IP]));
    planner.setReport("node-1", undefined);
    expect(orderIn(planner)[0]).toBe("node-3");
    expect(planner.planOf("node-1")?.vips[0]).not.toHaveProperty("moving");
  });

  it("goes on where it is asked for again meanwhile, by a new value or by the old one that was taken away", () => {
    for (const next of ["2", "1"]) {
      const planner = moved();
      planner.setPools(wanting("1"));
      planner.update();
      planner.setPools(wanting(next === "1" ? undefined : "1"));
      planner.update();
      planner.setPools(wanting(next));
      planner.update();
      expect(planner.planOf("node-1")?.vips).toMatchObject([{ moving: true }]);
      planner.setReport("node-1", report([IP], ["lan1"]));
      expect(orderIn(planner)[0]).toBe("node-3");
    }
  });

  it("goes on though the node that is to take over has left behind a report that it answers", () => {
    const planner = plannerOf({ answering: { "node-3": [IP] } });
    planner.setReport("node-1", report([IP]));
    expect(orderIn(planner)[0]).toBe("node-1");
    planner.setPools(wanting("1"));
    expect(orderIn(planner)[0]).toBe("node-3");
    expect(planner.planOf("node-1")?.vips).toMatchObject([{ moving: true }]);
    planner.setNode("node-2", unready("node-2"));
    expect(orderIn(planner)[0]).toBe("node-3");
    // One that begins anew cannot tell which of two reports is the older.
    const again = plannerOf({
      pools: wanting("1"),
      answering: { "node-1": [IP], "node-3": [IP] },
      written: leasesOf(plansOf(planner)),
    });
    expect(orderIn(again)[0]).toBe("node-3");
    expect(again.planOf("node-1")?.vips).toMatchObject([{ moving: true }]);
    again.setReport("node-1", report([]));
    expect(orderIn(again)[0]).toBe("node-3");
    expect(again.planOf("node-1")?.vips[0]).not.toHaveProperty("moving");
  });

  it("is given up where the node that is to take over is gone", () => {
    const planner = moved();
    planner.setPools(wanting("1"));
    planner.update();
    planner.setNode("node-3", unready("node-3"));
    expect(orderIn(planner)).toEqual(["node-1", "node-2", "node-3"]);
  });

  it("goes on where the operator begins anew", () => {
    const planner = moved();
    planner.setPools(wanting("1"));
    planner.update();
    const again = plannerOf({
      pools: wanting("1"),
      answering: { "node-1": [IP] },
      written: leasesOf(plansOf(planner)),
    });
    expect(orderIn(again)).toEqual(["node-3", "node-2", "node-1"]);
    const anew = plannerOf({ pools: wanting("2"), answering: { "node-2": [IP] }, written: leasesOf(plansOf(planner)) });
    expect(orderIn(anew)).toEqual(["node-3", "node-2", "node-1"]);
  });

  it("is not done again where the operator begins anew", () => {
    const planner = moved();
    planner.setPools(wanting("1"));
    planner.update();
    planner.setReport("node-1", undefined);
    planner.setReport("node-2", report([IP]));
    planner.setReport("node-3", report([]));
    planner.setNode("node-3", unready("node-3"));
    planner.update();
    const again = plannerOf({ pools: wanting("1"), written: leasesOf(plansOf(planner)) });
    expect(orderIn(again)).toEqual(["node-2", "node-3", "node-1"]);
  });

  it("goes on where the operator ended between the writes of two nodes", () => {
    const planner = moved();
    const before = plansOf(planner);
    planner.setPools(wanting("1"));
    planner.update();
    const after = plansOf(planner);
    for (const written of three.map(({ name }) => leasesOf({ ...before, [name]: after[name]! }))) {
      const again = plannerOf({ pools: wanting("1"), answering: { "node-1": [IP] }, written });
      expect(orderIn(again)).toEqual(["node-3", "node-2", "node-1"]);
      expect(again.planOf("node-1")?.vips[0]?.moving).toBe(true);
    }
  });

  it("moves nothing where the value is taken away", () => {
    const planner = plannerOf({ pools: wanting("1") });
    planner.setReport("node-1", report([IP]));
    planner.update();
    planner.setPools(wanting(undefined));
    expect(orderIn(planner)[0]).toBe("node-1");
  });

  it("leaves the addresses of other pools where they are", () => {
    const dmz = { key: "network/dmz", name: "dmz", labels: {}, rebalance: "1" };
    const planner = moved();
    planner.setPools([lan, dmz]);
    expect(orderIn(planner)[0]).toBe("node-1");
  });
});
