import fc from "fast-check";
import { expect, it, test } from "vitest";
import type { SelectorInput } from "../../core/labels.ts";
import { matchesAny, matchesSelector, parseSelector, parseSelectors, printSelector } from "../../core/labels.ts";
import { errorOf, valueOf } from "./builders.ts";

const labels = { app: "web", tier: "front", empty: "" };

test.each<{ text: string; selector: SelectorInput; matches: boolean }>([
  { text: "everything", selector: {}, matches: true },
  { text: "app=web", selector: { matchLabels: { app: "web" } }, matches: true },
  { text: "app=db", selector: { matchLabels: { app: "db" } }, matches: false },
  { text: "empty=", selector: { matchLabels: { empty: "" } }, matches: true },
  { text: "none=", selector: { matchLabels: { none: "" } }, matches: false },
  { text: "both", selector: { matchLabels: { app: "web", tier: "back" } }, matches: false },
  {
    text: "In",
    selector: { matchExpressions: [{ key: "app", operator: "In", values: ["db", "web"] }] },
    matches: true,
  },
  {
    text: "NotIn",
    selector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] },
    matches: false,
  },
  {
    text: "NotIn without the label",
    selector: { matchExpressions: [{ key: "x", operator: "NotIn", values: ["y"] }] },
    matches: true,
  },
  { text: "Exists", selector: { matchExpressions: [{ key: "tier", operator: "Exists" }] }, matches: true },
  {
    text: "Exists of an inherited name",
    selector: { matchExpressions: [{ key: "toString", operator: "Exists" }] },
    matches: false,
  },
  {
    text: "DoesNotExist",
    selector: { matchExpressions: [{ key: "tier", operator: "DoesNotExist", values: [] }] },
    matches: false,
  },
])("a selector of $text decides $matches", ({ selector, matches }) => {
  expect(matchesSelector(valueOf(parseSelector(selector)), labels)).toBe(matches);
});

test.each<{ why: string; selector: SelectorInput }>([
  { why: "missingKey", selector: { matchExpressions: [{ operator: "Exists" }] } },
  { why: "badKey", selector: { matchLabels: { "a b": "c" } } },
  { why: "badKey", selector: { matchLabels: { "Upper.example/app": "c" } } },
  { why: "badValue", selector: { matchLabels: { app: "a b" } } },
  { why: "missingOperator", selector: { matchExpressions: [{ key: "app" }] } },
  { why: "unknownOperator", selector: { matchExpressions: [{ key: "app", operator: "Gt", values: ["1"] }] } },
  { why: "valuesMissing", selector: { matchExpressions: [{ key: "app", operator: "In" }] } },
  { why: "valuesNotAllowed", selector: { matchExpressions: [{ key: "app", operator: "Exists", values: ["x"] }] } },
  { why: "duplicateValue", selector: { matchExpressions: [{ key: "app", operator: "In", values: ["x", "x"] }] } },
  {
    why: "duplicateExpression",
    selector: {
      matchExpressions: [
        { key: "app", operator: "In", values: ["x", "y"] },
        { key: "app", operator: "In", values: ["y", "x"] },
      ],
    },
  },
])("parseSelector refuses $selector as $why", ({ why, selector }) => {
  expect(errorOf(parseSelector(selector)).kind).toBe(why);
});

it("a list of selectors refuses the same one written in another order", () => {
  const subject = { type: "IPAddressPool", key: "network/lan" } as const;
  const twice: SelectorInput[] = [
    { matchLabels: { b: "2", a: "1" } },
    { matchExpressions: [{ key: "a", operator: "In", values: ["1"] }], matchLabels: { b: "2" } },
  ];
  expect(errorOf(parseSelectors(subject, "nodeSelectors", twice))).toEqual({
    kind: "duplicateSelector",
    subject,
    field: "nodeSelectors",
    selector: "a=1,b=2",
  });
});

it("of no selectors, none matches", () => {
  expect(matchesAny([], labels)).toBe(false);
});

it("the order of labels and values changes neither the text nor the match", () => {
  const requirement = fc.record({
    key: fc.constantFrom("app", "tier", "x"),
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.uniqueArray(fc.constantFrom("web", "front", "db"), { minLength: 1 }),
  });
  const expressions = fc.uniqueArray(requirement, { selector: ({ key, operator }) => key + operator });
  fc.assert(
    fc.property(expressions, (matchExpressions) => {
      const reversed = matchExpressions.toReversed().map((entry) => ({ ...entry, values: entry.values.toReversed() }));
      const one = valueOf(parseSelector({ matchExpressions }));
      const two = valueOf(parseSelector({ matchExpressions: reversed }));
      expect(printSelector(two)).toBe(printSelector(one));
      expect(matchesSelector(two, labels)).toBe(matchesSelector(one, labels));
    }),
  );
});
