import { expect, test } from "vitest";
import type { AnnouncedService } from "../../../core/announce/plan-types.ts";
import type { Planner } from "../../../core/announce/planner.ts";
import { addressFrom } from "../builders.ts";
import { keyOf, plannerOf, service, three } from "./planning.ts";

const COUNT = 100;
const local = (index: number, nodes: readonly string[]): AnnouncedService =>
  service({
    name: `web-${String(index)}`,
    addresses: [addressFrom(`10.0.0.${String(index + 1)}`)],
    externalTrafficPolicy: "Local",
    endpoints: { nodes, anywhere: false },
  });

/** A hundred Services with an address each, all of whose endpoints are on one node. */
const planned = (): Planner =>
  plannerOf({ services: Array.from({ length: COUNT }, (_, index) => local(index, ["node-1"])) });

const set = (planner: Planner, one: AnnouncedService): void => {
  planner.setService(keyOf(one), one);
};

test("endpoints that change have their own Service planned anew, and only the plans written that change", () => {
  const planner = planned();
  set(planner, local(7, ["node-2"]));
  const { services, nodes } = planner.update();
  expect(services).toEqual(new Set(["default/web-7"]));
  expect(nodes).toEqual(new Set(["node-1", "node-2"]));
});

test("endpoints that change without a consequence have no plan written", () => {
  const planner = planned();
  const one = local(7, ["node-1"]);
  set(planner, { ...one, endpoints: { nodes: ["node-1", "node-1"], anywhere: false } });
  expect(planner.update()).toEqual({ services: new Set(["default/web-7"]), nodes: new Set() });
});

test("with an address that is shared, the sharer is planned anew as well", () => {
  const planner = planned();
  const sharer = { ...local(7, ["node-1"]), name: "sharer" };
  set(planner, sharer);
  planner.update();
  set(planner, local(7, ["node-1", "node-2"]));
  expect(planner.update().services).toEqual(new Set(["default/web-7", "default/sharer"]));
});

test("a node without a network has the plans written that named it, and no others", () => {
  const planner = planned();
  const [, second] = three;
  planner.setNode("node-2", { ...second!, networkUnavailable: true });
  expect(planner.update().nodes).toEqual(new Set());
  const [first] = three;
  planner.setNode("node-1", { ...first!, networkUnavailable: true });
  expect(planner.update().nodes).toEqual(new Set(["node-1"]));
});
