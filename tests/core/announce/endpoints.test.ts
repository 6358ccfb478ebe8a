import { expect, it, test } from "vitest";
import { summarizeEndpoints } from "../../../core/announce/endpoints.ts";

test.each([
  [undefined, true],
  [{}, true],
  [{ ready: true, serving: false }, true],
  [{ ready: false, serving: true }, true],
  [{ ready: false, serving: false }, false],
  [{ ready: false }, false],
])("an endpoint with the conditions %j is usable: %s", (conditions, usable) => {
  const { nodes } = summarizeEndpoints([{ endpoints: [{ nodeName: "node-1", conditions }] }]);
  expect(nodes).toEqual(usable ? ["node-1"] : []);
});

it("nodes are named once and in order, and an endpoint without one is noticed", () => {
  const [a, b, nowhere] = [{ nodeName: "a" }, { nodeName: "b" }, {}];
  expect(summarizeEndpoints([{ endpoints: [b, a] }, { endpoints: [a] }, {}])).toEqual({
    nodes: ["a", "b"],
    anywhere: false,
  });
  expect(summarizeEndpoints([{ endpoints: [nowhere, a] }])).toEqual({ nodes: ["a"], anywhere: true });
});
