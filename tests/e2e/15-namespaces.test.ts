/** Pools that choose namespaces by their labels (serviceAllocation, §4.4 of MetalLB's rules), while the labels change. */
import { describe, expect, test } from "vitest";
import { wish } from "./people.ts";
import { rowsIn, type RowPool } from "./rows.ts";

const rows = rowsIn("chosen", 88);

describe("a namespace whose labels change", () => {
  const six = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] };
  const chosen: RowPool = {
    addresses: ["@::1-@::9"],
    namespaces: [],
    namespaceSelectors: [{ matchLabels: { team: "lan" } }],
  };
  const label = (text: string) => rows().someone.target.kubectl(["label", "namespace", "chosen", "--overwrite", text]);

  test("to what a pool selects: its Services that wait are served, and those that ask for it by name", async () => {
    await rows().begin({ chosen });
    const before = await rows().apply("web", { spec: six });
    expect([before.address, before.warnings.length]).toEqual(["", 1]);
    const asked = { annotations: wish.pin("@::7"), spec: six };
    expect(await rows().denied("asked", asked)).toContain("does not serve this namespace");
    await label("team=lan");
    await rows().settlesAt("web", "@::1");
    expect((await rows().apply("asked", asked)).address).toBe(rows().fill("@::7"));
  });

  test("to what no pool selects: its Services move where they may, and no other is let in", async () => {
    await label("team=lan");
    await rows().begin({ chosen });
    await expect.poll(async () => (await rows().apply("web", { spec: six })).address).toBe(rows().fill("@::1"));
    await rows().put("zz", { addresses: ["@::201-@::209"] });
    await rows().staysAt("web", "@::1");
    await label("team-");
    await rows().settlesAt("web", "@::201");
    expect(await rows().denied("asked", { annotations: wish.pin("@::7"), spec: six })).toContain("does not serve");
  });

  test("in other ways: nobody moves", async () => {
    await rows().begin({ lan: { addresses: ["$.1-$.9"] } });
    await rows().apply("web");
    await label("other=one");
    await rows().staysAt("web", "$.1");
    await label("other-");
  });
});
