/** What a person is told who writes an object of BGP, whatever is in it. */
import { expect, it } from "vitest";
import { bgpKinds } from "../../cluster/kinds.ts";
import { explain } from "../../core/explain.ts";
import { bgpTypes } from "../../core/explain/bgp.ts";
import { useWorlds } from "../support/world.ts";

const worlds = useWorlds();

it.each(bgpTypes)("a %s is stored as it is, with a Warning when it is made and when it is changed", async (type) => {
  const kind = bgpKinds[type];
  const world = await worlds.open({});
  const spec = { anything: ["at all"] };
  const warnings = [explain({ kind: "bgpUnspoken", type, object: "network/edge" })];
  const object = { metadata: { namespace: "network", name: "edge" }, spec };
  expect(await world.create(kind, object)).toMatchObject({ stored: { spec }, warnings });
  const labels = { tier: "edge" };
  const changed = await world.change(kind, "network/edge", { metadata: { labels } });
  expect(changed).toMatchObject({ stored: { spec, metadata: { labels } }, warnings });
  expect(await world.delete(kind, "network/edge")).toMatchObject({ warnings: [] });
  expect(world.store.all(kind)).toEqual([]);
});
