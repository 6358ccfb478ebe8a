/** The rows of MetalLB's rules on whom a pool serves (§3.2) and in which order pools are asked (§4.2), each by its name. */
import { describe, expect, it, test } from "vitest";
import type { PoolSpec } from "../../../core/pool/pool.ts";
import { poolsFor, whyNotServed } from "../../../core/pool/serve.ts";
import { poolFrom, valueOf } from "../builders.ts";
import { parsePool } from "../../../core/pool/pool.ts";

const team = (value: string) => ({ matchLabels: { team: value } });
const app = (value: string) => ({ matchLabels: { app: value } });
// a Service with app=web in the namespace "shop", which has team=blue
const web = { labels: { app: "web" }, namespace: "shop", namespaceLabels: { team: "blue" } };

describe("serviceAllocation", () => {
  test.each<{ row: string; allocation: PoolSpec["serviceAllocation"]; automatic: boolean; refuses?: string }>([
    { row: "absent: any Service", allocation: undefined, automatic: true },
    { row: "{}: any Service", allocation: {}, automatic: true },
    { row: "only priority: any Service", allocation: { priority: 7 }, automatic: true },
    { row: "namespaces: Services in them", allocation: { namespaces: ["lab", "shop"] }, automatic: true },
    { row: "namespaces: nobody else", allocation: { namespaces: ["lab"] }, automatic: false, refuses: "namespace" },
    {
      row: "namespaceSelectors: Services in those",
      allocation: { namespaceSelectors: [team("blue")] },
      automatic: true,
    },
    {
      row: "namespaceSelectors: nobody else",
      allocation: { namespaceSelectors: [team("red")] },
      automatic: false,
      refuses: "namespace",
    },
    {
      row: "namespaces and namespaceSelectors: either is enough",
      allocation: { namespaces: ["lab"], namespaceSelectors: [team("blue")] },
      automatic: true,
    },
    {
      row: "serviceSelectors: one that matches is enough",
      allocation: { serviceSelectors: [app("db"), app("web")] },
      automatic: true,
    },
    {
      row: "serviceSelectors: nobody else",
      allocation: { serviceSelectors: [app("db")] },
      automatic: false,
      refuses: "labels",
    },
    {
      row: "both: both must match",
      allocation: { namespaces: ["shop"], serviceSelectors: [app("web")] },
      automatic: true,
    },
    {
      row: "both: the namespace alone is not enough",
      allocation: { namespaces: ["shop"], serviceSelectors: [app("db")] },
      automatic: false,
      refuses: "labels",
    },
    {
      row: "both: the labels alone are not enough",
      allocation: { namespaces: ["lab"], serviceSelectors: [app("web")] },
      automatic: false,
      refuses: "namespace",
    },
    {
      row: "selectors that match no namespace mean nobody (MetalLB: everybody)",
      allocation: { namespaceSelectors: [team("nobody")], serviceSelectors: [app("web")] },
      automatic: false,
      refuses: "namespace",
    },
  ])("$row", ({ allocation, automatic, refuses }) => {
    const pool = poolFrom("lan", ["10.0.0.0/24"], { serviceAllocation: allocation });
    expect(poolsFor(web, [pool])).toEqual(automatic ? [pool] : []);
    expect(poolsFor({ ...web, poolName: "lan" }, [pool])).toEqual(automatic ? [pool] : []);
    expect(whyNotServed(pool, web)).toBe(refuses);
  });
});

describe("pools are asked in this order", () => {
  const pool = (key: string, block: number, spec: Omit<PoolSpec, "addresses"> = {}) => {
    const [namespace = "", name = ""] = key.split("/");
    const addresses = [`10.0.${String(block)}.0/24`];
    return valueOf(parsePool({ metadata: { namespace, name }, spec: { addresses, ...spec } }));
  };
  const prioritised = (priority?: number) => ({ serviceAllocation: priority === undefined ? {} : { priority } });

  test.each<{ row: string; pools: readonly ReturnType<typeof pool>[]; order: readonly string[] }>([
    {
      row: "priorities above 0 ascend",
      pools: [pool("n/a", 1, prioritised(50)), pool("n/b", 2, prioritised(2)), pool("n/c", 3, prioritised(10))],
      order: ["n/b", "n/c", "n/a"],
    },
    {
      row: "0, negative and unset come after all of them, as equals",
      pools: [
        pool("n/a", 1, prioritised(0)),
        pool("n/b", 2, prioritised(-5)),
        pool("n/c", 3, prioritised()),
        pool("n/d", 4, prioritised(2_000_000_000)),
      ],
      order: ["n/d", "n/a", "n/b", "n/c"],
    },
    {
      row: "pools without serviceAllocation come last",
      pools: [pool("n/a", 1), pool("n/b", 2, prioritised())],
      order: ["n/b", "n/a"],
    },
    {
      row: "ties go by namespace, then by name (MetalLB: at random)",
      pools: [pool("z/a", 1), pool("a/z", 2), pool("a/b", 3), pool("Z/a", 4)],
      order: ["Z/a", "a/b", "a/z", "z/a"],
    },
    {
      row: "a pool that does not assign by itself is not asked",
      pools: [pool("n/a", 1, { autoAssign: false, ...prioritised(1) }), pool("n/b", 2)],
      order: ["n/b"],
    },
    {
      row: "a pool that may not serve the Service is not asked",
      pools: [pool("n/a", 1, { serviceAllocation: { priority: 1, namespaces: ["lab"] } }), pool("n/b", 2)],
      order: ["n/b"],
    },
  ])("$row", ({ pools, order }) => {
    expect(poolsFor(web, pools).map(({ key }) => key)).toEqual(order);
    expect(poolsFor(web, pools.toReversed()).map(({ key }) => key)).toEqual(order);
  });

  it("a pool that is named is asked whether it assigns by itself or not", () => {
    const manual = pool("n/manual", 1, { autoAssign: false });
    expect(poolsFor({ ...web, poolName: "manual" }, [pool("n/a", 2), manual])).toEqual([manual]);
  });
});
