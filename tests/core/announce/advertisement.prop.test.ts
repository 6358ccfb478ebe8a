import fc from "fast-check";
import { expect, it } from "vitest";
import { parseAdvertisement } from "../../../core/announce/advertisement.ts";
import { findGaps } from "../../../core/announce/gaps.ts";
import { explain } from "../../../core/explain.ts";
import { parsePool } from "../../../core/pool/pool.ts";

const word = fc.constantFrom("", "a", "b", "team", "a b", "example.com/a", "In", "NotIn", "Exists", "Gt");
const optional = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined });
const selector = fc.record({
  matchLabels: optional(fc.dictionary(word, word, { maxKeys: 2 })),
  matchExpressions: optional(
    fc.array(
      fc.record({ key: optional(word), operator: optional(word), values: optional(fc.array(word, { maxLength: 2 })) }),
      { maxLength: 2 },
    ),
  ),
});
const selectors = optional(fc.array(selector, { maxLength: 2 }));
const names = optional(fc.array(word, { maxLength: 3 }));
const advertisement = fc.record({
  metadata: fc.constant({ namespace: "network", name: "l2" }),
  spec: optional(
    fc.record({
      ipAddressPools: names,
      ipAddressPoolSelectors: selectors,
      nodeSelectors: selectors,
      interfaces: names,
      serviceSelectors: selectors,
      preferredNodeSelectors: optional(
        fc.array(fc.record({ weight: optional(fc.double()), preference: optional(selector) }), { maxLength: 2 }),
      ),
    }),
  ),
});
const things = fc.array(fc.record({ name: word, labels: fc.dictionary(word, word, { maxKeys: 2 }) }), { maxLength: 4 });
const sentence = /^(?:IPAddressPool|L2Advertisement) "network\/[^"]+" [^;]+; [^;]+[^.;]$/s;

it("any advertisement is read or refused in one sentence, and its gaps are one sentence each, whatever the order", () => {
  fc.assert(
    fc.property(advertisement, things, things, (input, pools, nodes) => {
      const parsed = parseAdvertisement(input);
      if (!parsed.ok) {
        expect(explain(parsed.error)).toMatch(sentence);
        return;
      }
      const gaps = findGaps(parsed.value, { pools, nodes });
      for (const gap of gaps) expect(explain(gap)).toMatch(sentence);
      expect(findGaps(parsed.value, { pools: pools.toReversed(), nodes: nodes.toReversed() })).toEqual(gaps);
    }),
  );
});

it("any allocation of a pool is read or refused in one sentence", () => {
  const allocation = fc.record({
    priority: optional(fc.integer()),
    namespaces: names,
    namespaceSelectors: selectors,
    serviceSelectors: selectors,
  });
  fc.assert(
    fc.property(allocation, (serviceAllocation) => {
      const metadata = { namespace: "network", name: "lan" };
      const parsed = parsePool({ metadata, spec: { addresses: ["10.0.0.0/24"], serviceAllocation } });
      if (!parsed.ok) expect(explain(parsed.error)).toMatch(sentence);
    }),
  );
});
