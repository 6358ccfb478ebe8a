import fc from "fast-check";
import { expect, it, test } from "vitest";
import { rankNodes } from "../../../core/announce/rank.ts";
import vectors from "../../vectors/node-order.json" with { type: "json" };

test.each(vectors)("rankNodes orders $nodes for $ip as MetalLB does", ({ ip, nodes, order }) => {
  expect(rankNodes(ip, nodes)).toEqual(order);
});

const names = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 12 });

it("the order of the nodes given changes nothing", () => {
  fc.assert(
    fc.property(fc.ipV4(), names, (ip, nodes) => {
      expect(rankNodes(ip, nodes.toReversed())).toEqual(rankNodes(ip, nodes));
    }),
  );
});

it("an unrelated node moves nothing", () => {
  fc.assert(
    fc.property(fc.ipV6(), names, (ip, nodes) => {
      const [gone, ...rest] = nodes;
      expect(rankNodes(ip, nodes).filter((node) => node !== gone)).toEqual(rankNodes(ip, rest));
    }),
  );
});
