/** Label selectors: reading, matching, printing. Imports result only. */
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";

/** Labels of any object. */
export type Labels = Readonly<Record<string, string>>;

/** The LabelSelector that Kubernetes types give. */
export type SelectorInput = {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly RequirementInput[] | undefined;
};

/** One entry of matchExpressions. */
export type RequirementInput = {
  readonly key?: string | undefined;
  readonly operator?: string | undefined;
  readonly values?: readonly string[] | undefined;
};

/** A selector whose keys, operators and values are in order; only parseSelector makes one. */
export type Selector = { readonly requirements: readonly Requirement[] };

/** One condition on the labels. */
export type Requirement = { readonly key: string; readonly operator: Operator; readonly values: readonly string[] };

/** The operators of matchExpressions. */
export type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist";

/** Why a selector cannot be read. */
export type SelectorProblem =
  | { readonly kind: "missingKey" }
  | { readonly kind: "badKey"; readonly key: string }
  | { readonly kind: "badValue"; readonly key: string; readonly value: string }
  | { readonly kind: "missingOperator"; readonly key: string }
  | { readonly kind: "unknownOperator"; readonly key: string; readonly operator: string }
  | { readonly kind: "valuesMissing"; readonly key: string; readonly operator: Operator }
  | { readonly kind: "valuesNotAllowed"; readonly key: string; readonly operator: Operator }
  | { readonly kind: "duplicateValue"; readonly key: string; readonly value: string }
  | { readonly kind: "duplicateExpression"; readonly text: string };

/** The object that a list of selectors or names stands in; `key` is namespace/name. */
export type Subject = { readonly type: "IPAddressPool" | "L2Advertisement"; readonly key: string };

/** Why a list of selectors or names in an object is refused; `field` is its path in the spec. */
export type ListRefusal =
  | {
      readonly kind: "badSelector";
      readonly subject: Subject;
      readonly field: string;
      readonly problem: SelectorProblem;
    }
  | { readonly kind: "duplicateSelector"; readonly subject: Subject; readonly field: string; readonly selector: string }
  | { readonly kind: "duplicateName"; readonly subject: Subject; readonly field: string; readonly name: string };

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;
const PREFIX = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** The selector, its requirements and values sorted, so that equal selectors are equal values. */
export function parseSelector(input: SelectorInput): Result<Selector, SelectorProblem> {
  const labels = Object.entries(input.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: "In",
    values: [value],
  }));
  const requirements: Requirement[] = [];
  for (const entry of labels) {
    const parsed = parseRequirement(entry);
    if (!parsed.ok) return parsed;
    requirements.push(parsed.value);
  }
  const seen = new Set<string>();
  for (const entry of input.matchExpressions ?? []) {
    const parsed = parseRequirement(entry);
    if (!parsed.ok) return parsed;
    const text = printRequirement(parsed.value);
    if (seen.has(text)) return err({ kind: "duplicateExpression", text });
    seen.add(text);
    requirements.push(parsed.value);
  }
  return ok({ requirements: requirements.toSorted(byText) });
}

function parseRequirement(input: RequirementInput): Result<Requirement, SelectorProblem> {
  const key = input.key ?? "";
  if (key === "") return err({ kind: "missingKey" });
  if (!isLabelKey(key)) return err({ kind: "badKey", key });
  const text = input.operator ?? "";
  if (text === "") return err({ kind: "missingOperator", key });
  const operator = OPERATORS.find((known) => known === text);
  if (operator === undefined) return err({ kind: "unknownOperator", key, operator: text });
  const values = input.values ?? [];
  const problem = checkValues(key, operator, values);
  return problem === undefined ? ok({ key, operator, values: values.toSorted() }) : err(problem);
}

function checkValues(key: string, operator: Operator, values: readonly string[]): SelectorProblem | undefined {
  const takesValues = operator === "In" || operator === "NotIn";
  if (takesValues && values.length === 0) return { kind: "valuesMissing", key, operator };
  if (!takesValues && values.length > 0) return { kind: "valuesNotAllowed", key, operator };
  const bad = values.find((value) => value !== "" && !NAME.test(value));
  if (bad !== undefined) return { kind: "badValue", key, value: bad };
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  return twice === undefined ? undefined : { kind: "duplicateValue", key, value: twice };
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  if (slash < 0) return NAME.test(key);
  return slash <= 253 && PREFIX.test(key.slice(0, slash)) && NAME.test(key.slice(slash + 1));
}

function byText(a: Requirement, b: Requirement): number {
  const [left, right] = [printRequirement(a), printRequirement(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Whether the labels meet every requirement; the empty selector matches everything, as in Kubernetes. */
export const matchesSelector = (selector: Selector, labels: Labels): boolean =>
  selector.requirements.every((requirement) => meets(requirement, labels));

/** Whether any of the selectors matches; of none, none does. */
export const matchesAny = (selectors: readonly Selector[], labels: Labels): boolean =>
  selectors.some((selector) => matchesSelector(selector, labels));

function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/** The selector in the notation of `kubectl -l`; equal selectors print equally. */
export const printSelector = (selector: Selector): string => selector.requirements.map(printRequirement).join(",");

function printRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "In":
      return values.length === 1 ? `${key}=${values.join("")}` : `${key} in (${values.join(",")})`;
    case "NotIn":
      return `${key} notin (${values.join(",")})`;
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
  }
}

/** The selectors of a list, none of them twice. */
export function parseSelectors(
  subject: Subject,
  field: string,
  inputs: readonly SelectorInput[] | undefined,
): Result<readonly Selector[], ListRefusal> {
  const selectors: Selector[] = [];
  const seen = new Set<string>();
  for (const input of inputs ?? []) {
    const parsed = parseSelector(input);
    if (!parsed.ok) return err({ kind: "badSelector", subject, field, problem: parsed.error });
    const selector = printSelector(parsed.value);
    if (seen.has(selector)) return err({ kind: "duplicateSelector", subject, field, selector });
    seen.add(selector);
    selectors.push(parsed.value);
  }
  return ok(selectors);
}

/** The names of a list, none of them twice. */
export function parseNames(
  subject: Subject,
  field: string,
  names: readonly string[] | undefined,
): Result<readonly string[], ListRefusal> {
  const list = names ?? [];
  const name = list.find((entry, index) => list.indexOf(entry) !== index);
  return name === undefined ? ok(list) : err({ kind: "duplicateName", subject, field, name });
}

/** Whether the two say the same. */
export function sameLabels(a: Labels, b: Labels): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}
