import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it, test } from "vitest";
import { HashOrder } from "../../../core/announce/rank.ts";
import vectors from "../../vectors/node-order.json" with { type: "json" };

test.each(vectors)("the order of $nodes for $ip is MetalLB's", ({ ip, nodes, order }) => {
  expect(new HashOrder().first(ip, nodes, 5)).toEqual(order);
});

const names = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 12 });
const asMetalLb = (ip: string, nodes: readonly string[]) =>
  nodes
    .map((node) => ({ node, digest: createHash("sha256").update(`${node}#${ip}`).digest() }))
    .toSorted((a, b) => a.digest.compare(b.digest))
    .map(({ node }) => node);

it("the first ones are those of MetalLB's whole order, whatever was asked for and forgotten before", () => {
  const question = fc.record({
    ip: fc.constantFrom("10.0.0.1", "10.0.0.2", "fd00::1"),
    nodes: names,
    count: fc.nat(6),
  });
  const forgotten = fc.record({ ip: fc.option(question.map(({ ip }) => ip)), node: fc.option(fc.string()) });
  fc.assert(
    fc.property(fc.array(fc.tuple(question, forgotten)), (steps) => {
      const order = new HashOrder();
      for (const [{ ip, nodes, count }, { ip: oldIp, node }] of steps) {
        expect(order.first(ip, nodes, count)).toEqual(asMetalLb(ip, nodes).slice(0, count));
        if (oldIp !== null) order.forgetAddress(oldIp);
        order.forgetNode(node ?? nodes[0] ?? "");
      }
    }),
  );
});
