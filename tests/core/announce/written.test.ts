/** What is remembered of an address is read from whichever Leases it stands in, in whatever order they are found. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Planner } from "../../../core/announce/planner.ts";
import { SHARD_BYTES } from "../../../core/announce/plan-text.ts";
import { addressFrom } from "../builders.ts";
import {
  IP,
  candidates,
  lan,
  leasesOf,
  node,
  plannerOf,
  plansOf,
  service,
  three,
  type World,
  type Written,
} from "./planning.ts";

/** A cluster whose addresses stay where they went when node-1 failed, though the pool was rebalanced before. */
function afterFailure(count: number): { readonly planner: Planner; readonly parts: Partial<World> } {
  const services = Array.from({ length: count }, (_, index) => {
    const ip = `10.0.${String(index >> 8)}.${String(index & 255)}`;
    return service({ name: `web-${String(index)}`, addresses: [addressFrom(ip)] });
  });
  const parts = { services, pools: [{ ...lan, rebalance: "2026-01-01" }] };
  const planner = plannerOf(parts);
  for (const ready of [false, true]) {
    planner.setNode("node-1", node("node-1", { ready }));
    planner.update();
  }
  return { planner, parts };
}

describe("a rebalancing that was followed is not repeated when the operator begins anew", () => {
  it("for any of 2,000 addresses, which need two Leases of every node", () => {
    const { planner, parts } = afterFailure(2_000);
    const plans = plansOf(planner);
    expect(plans["node-1"]?.vips.filter(({ nodes }) => nodes[0] === "node-1")).toEqual([]);
    const written = leasesOf(plans, { shardBytes: SHARD_BYTES });
    expect(written.map(({ plan }) => plan.shard)).toEqual([undefined, 1, undefined, 1, undefined, 1]);
    expect(plansOf(plannerOf({ ...parts, written }))).toEqual(plans);
  });

  const { planner, parts } = afterFailure(20);
  const plans = plansOf(planner);
  const written = leasesOf(plans, { shardBytes: 300 });
  const isFirst = ({ plan }: Written): boolean => plan.shard === undefined;

  it("where the first Leases are found last", () => {
    const ordered = [...written.filter((one) => !isFirst(one)), ...written.filter(isFirst)];
    expect(ordered.length).toBeGreaterThan(6);
    expect(plansOf(plannerOf({ ...parts, written: ordered }))).toEqual(plans);
  });

  it("where somebody deleted the first Lease of a node, or of all but one", () => {
    for (const lost of [["node-1"], ["node-2"], ["node-1", "node-2"]]) {
      const left = written.filter((one) => !isFirst(one) || !lost.includes(one.node));
      expect(plansOf(plannerOf({ ...parts, written: left }))).toEqual(plans);
    }
  });

  it("in whatever order the Leases are found, and whichever one is lost", () => {
    const found = fc.shuffledSubarray([...written], { minLength: written.length - 1 });
    fc.assert(
      fc.property(found, (some) => {
        expect(plansOf(plannerOf({ ...parts, written: some }))).toEqual(plans);
      }),
    );
  });

  it("where it ended between the writes of two Leases, whose last one is written first; the others' addresses follow", () => {
    const pools = [{ ...lan, rebalance: "2026-02-02" }];
    const { planner: moving } = afterFailure(20);
    moving.setPools(pools);
    moving.update();
    const after = plansOf(moving);
    expect(after["node-1"]?.vips.some((vip) => vip.moving)).toBe(true);
    const later = leasesOf(after, { generation: 2, shardBytes: 300 });
    const progress = fc.record(Object.fromEntries(three.map(({ name }) => [name, fc.nat({ max: 9 })])));
    const found = progress.chain((leftOf) => {
      const isLeft = ({ node: name, plan }: Written): boolean => (plan.shard ?? 0) < (leftOf[name] ?? 0);
      const all = [...written.filter(isLeft), ...later.filter((one) => !isLeft(one))];
      return fc.shuffledSubarray(all, { minLength: all.length });
    });
    fc.assert(
      fc.property(found, (all) => {
        expect(plansOf(plannerOf({ ...parts, pools, written: all }))).toEqual(after);
      }),
    );
  });
});

it("of an address that two Leases of a node name, since one of them was not written any more, the newer one counts", () => {
  const writes = [
    { generation: 9, first: "node-1" },
    { generation: 10, first: "node-2" },
  ];
  const written = writes.flatMap(({ generation, first }) =>
    leasesOf({ "node-3": { vips: [{ ip: IP, nodes: [first] }], rebalanced: {} } }, { generation }),
  );
  for (const found of [written, written.toReversed()]) {
    expect(candidates({ written: found })).toEqual([["node-2", "node-3", "node-1"]]);
  }
});
