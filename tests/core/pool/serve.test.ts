import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { usablePools } from "../../../core/pool/overlap.ts";
import type { PoolSpec } from "../../../core/pool/pool.ts";
import { mayServe, poolsFor } from "../../../core/pool/serve.ts";
import { crowdedPools } from "../../support/generators.ts";
import { poolFrom } from "../builders.ts";

type AllocationInput = PoolSpec["serviceAllocation"];

const team = (value: string) => ({ matchLabels: { team: value } });
const web = { matchLabels: { app: "web" } };

// a Service with app=web in the namespace "shop", which has team=blue
test.each<{ rule: string; allocation: AllocationInput; serves: boolean }>([
  { rule: "no serviceAllocation", allocation: undefined, serves: true },
  { rule: "an empty serviceAllocation", allocation: {}, serves: true },
  { rule: "only a priority", allocation: { priority: 5 }, serves: true },
  { rule: "its namespace by name", allocation: { namespaces: ["shop"] }, serves: true },
  { rule: "another namespace", allocation: { namespaces: ["lab"] }, serves: false },
  { rule: "its namespace by label", allocation: { namespaceSelectors: [team("red"), team("blue")] }, serves: true },
  { rule: "a selector of no namespace", allocation: { namespaceSelectors: [team("green")] }, serves: false },
  {
    rule: "its name beside a selector of no namespace",
    allocation: { namespaces: ["shop"], namespaceSelectors: [team("green")] },
    serves: true,
  },
  { rule: "its labels", allocation: { serviceSelectors: [web] }, serves: true },
  { rule: "other labels", allocation: { serviceSelectors: [{ matchLabels: { app: "db" } }] }, serves: false },
  {
    rule: "its labels in another namespace",
    allocation: { namespaces: ["lab"], serviceSelectors: [web] },
    serves: false,
  },
  {
    rule: "its labels and a selector of no namespace",
    allocation: { namespaceSelectors: [team("green")], serviceSelectors: [web] },
    serves: false,
  },
  { rule: "every namespace", allocation: { namespaceSelectors: [{}] }, serves: true },
])("a pool with $rule serves the Service: $serves", ({ allocation, serves }) => {
  const pool = poolFrom("lan", ["10.0.0.0/24"], { serviceAllocation: allocation });
  expect(mayServe(pool, { app: "web" }, "shop", { team: "blue" })).toBe(serves);
});

describe("poolsFor", () => {
  const request = { labels: {}, namespace: "default", namespaceLabels: {} };
  const names = (...parts: Parameters<typeof poolsFor>) => poolsFor(...parts).map((pool) => pool.name);

  it("asks pools with a serviceAllocation first, by ascending priority, none last, then by name", () => {
    const pools = [
      poolFrom("plain-b", ["10.0.1.0/24"]),
      poolFrom("plain-a", ["10.0.2.0/24"]),
      poolFrom("unset", ["10.0.3.0/24"], { serviceAllocation: {} }),
      poolFrom("negative", ["10.0.4.0/24"], { serviceAllocation: { priority: -1 } }),
      poolFrom("fifty", ["10.0.5.0/24"], { serviceAllocation: { priority: 50 } }),
      poolFrom("two", ["10.0.6.0/24"], { serviceAllocation: { priority: 2 } }),
    ];
    expect(names(request, pools)).toEqual(["two", "fifty", "negative", "unset", "plain-a", "plain-b"]);
  });

  it("leaves out pools that do not assign by themselves, unless one is named", () => {
    const pools = [poolFrom("manual", ["10.0.1.0/24"], { autoAssign: false }), poolFrom("auto", ["10.0.2.0/24"])];
    expect(names(request, pools)).toEqual(["auto"]);
    expect(names({ ...request, poolName: "manual" }, pools)).toEqual(["manual"]);
  });

  it("leaves out a named pool that may not serve the Service", () => {
    const pools = [poolFrom("lab", ["10.0.1.0/24"], { serviceAllocation: { namespaces: ["lab"] } })];
    expect(names({ ...request, poolName: "lab" }, pools)).toEqual([]);
  });

  it("gives the same order whatever the order of the pools", () => {
    fc.assert(
      fc.property(crowdedPools, (inputs) => {
        const { usable } = usablePools(inputs);
        expect(poolsFor(request, usable.toReversed())).toEqual(poolsFor(request, usable));
      }),
    );
  });
});
