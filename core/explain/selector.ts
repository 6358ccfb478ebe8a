/** Sentences about the selectors and names in a list of an object. */
import type { ListRefusal, SelectorProblem } from "../labels.ts";

/** One sentence about a list in a pool or an advertisement. */
export function explainList(refusal: ListRefusal): string {
  const thing = `${refusal.subject.type} "${refusal.subject.key}"`;
  switch (refusal.kind) {
    case "badSelector":
      return `${thing} has in spec.${refusal.field} a selector ${explainSelector(refusal.problem)}`;
    case "duplicateSelector":
      return `${thing} has the selector "${refusal.selector}" twice in spec.${refusal.field}; remove one of the two`;
    case "duplicateName":
      return `${thing} names "${refusal.name}" twice in spec.${refusal.field}; remove one of the two`;
  }
}

function explainSelector(problem: SelectorProblem): string {
  switch (problem.kind) {
    case "missingKey":
      return "without a key; name the label in key";
    case "badKey":
      return `with the key "${problem.key}", which is no label's name; write one such as app or example.com/app`;
    case "missingOperator":
      return `on "${problem.key}" without an operator; write In, NotIn, Exists or DoesNotExist`;
    case "unknownOperator":
      return `on "${problem.key}" with the operator "${problem.operator}"; write In, NotIn, Exists or DoesNotExist`;
    case "duplicateExpression":
      return `with the expression "${problem.text}" twice; remove one of the two`;
    default:
      return explainValues(problem);
  }
}

type ValuesProblem = Extract<
  SelectorProblem,
  { readonly kind: "badValue" | "valuesMissing" | "valuesNotAllowed" | "duplicateValue" }
>;

function explainValues(problem: ValuesProblem): string {
  switch (problem.kind) {
    case "badValue":
      return `on "${problem.key}" with the value "${problem.value}", which no label can have; use at most 63 letters, digits, "-", "_" and "."`;
    case "valuesMissing":
      return `on "${problem.key}" with the operator ${problem.operator} and no values; list at least one value`;
    case "valuesNotAllowed":
      return `on "${problem.key}" with the operator ${problem.operator} and values; remove the values`;
    case "duplicateValue":
      return `on "${problem.key}" with the value "${problem.value}" twice; remove one of the two`;
  }
}
