/** Everything that a pool or an advertisement is denied for, each by its rule. */
import { describe, expect, test } from "vitest";
import type { L2Advertisement } from "../../cluster/crd.ts";
import { kinds } from "../../cluster/kinds.ts";
import { advertisement, node, pool, serviceCIDR } from "../support/builders.ts";
import { advertisementRejections, poolRejections, TAKEN } from "../support/rejections.ts";
import { useWorlds, type Seed } from "../support/world.ts";

const worlds = useWorlds();

const seed: Seed = {
  pools: [pool("pools-lab/taken", [TAKEN])],
  nodes: [node("node-1", ["172.30.0.11"])],
  serviceCIDRs: [serviceCIDR("10.96.0.0/16")],
};

describe("an IPAddressPool is denied for", () => {
  test.each(poolRejections)("$rule", async ({ addresses = ["10.92.0.0/24"], spec, metadata, says }) => {
    const world = await worlds.open(seed);
    const { denied } = await world.create(kinds.pools, pool("lan", addresses, spec, metadata));
    expect(denied).toBe(`IPAddressPool "network/lan" ${says}`);
    expect(world.store.all(kinds.pools)).toHaveLength(1);
  });
});

describe("an L2Advertisement is denied for", () => {
  test.each(advertisementRejections)("$rule", async ({ spec, says }) => {
    const world = await worlds.open(seed);
    const refused = advertisement("l2", spec as NonNullable<L2Advertisement["spec"]>);
    expect((await world.create(kinds.advertisements, refused)).denied).toBe(`L2Advertisement "network/l2" ${says}`);
    expect(world.store.all(kinds.advertisements)).toHaveLength(0);
  });
});
