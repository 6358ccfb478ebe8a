/** The way in by Helm: the same objects as templates, with values in the places that {@link settingsOf} lists. */
import settings from "../../../package.json" with { type: "json" };
import { settingsOf, type Setting } from "./chart-values.ts";
import type { Installation } from "./manifests.ts";
import { isObject, nameOf, printObjects, type Json, type JsonObject } from "./object.ts";

/** The namespace that Helm makes itself where the release is to be kept in it. */
const OPERATOR_NAMESPACE = "Namespace pepr-system";

/** The chart's files by their path in it. */
export function chartFiles({ files, pepr, module }: Installation): ReadonlyMap<string, string> {
  const crds = [...files].filter(([path]) => path.startsWith("crds/"));
  const rest = [...files].filter(([path]) => !path.startsWith("crds/"));
  const choices = settingsOf([...rest.flatMap(([, objects]) => objects), ...pepr]);
  const template = (objects: readonly JsonObject[]): string =>
    objects.map((object) => templateOf(object, choices)).join("---\n");
  return new Map([
    ["Chart.yaml", chartYaml()],
    ["values.yaml", valuesYaml(choices)],
    ["values.schema.json", `${JSON.stringify(schemaOf(choices), undefined, 2)}\n`],
    ...crds.map(([path, objects]): [string, string] => [path, printObjects(objects)]),
    ...rest.map(([path, objects]): [string, string] => [`templates/${path.replace("/", "-")}`, template(objects)]),
    ["templates/pepr.yaml", template(pepr)],
    ["templates/module.yaml", printObjects([module])],
    ["templates/NOTES.txt", NOTES],
  ]);
}

function chartYaml(): string {
  const { version, description } = settings;
  const chart = { apiVersion: "v2", name: "berth", type: "application", version, appVersion: version, description };
  return printObjects([{ ...chart, kubeVersion: ">=1.33.0-0", keywords: ["load-balancer", "bare-metal", "metallb"] }]);
}

const NOTES = `Berth {{ .Chart.AppVersion }} is on its way. Wait until it is ready:

  kubectl rollout status -n pepr-system deployment/pepr-berth deployment/pepr-berth-watcher
  kubectl rollout status -n metallb-system daemonset/announcer

Then give it addresses that no DHCP server hands out: an IPAddressPool, and an L2Advertisement that announces it.
`;

/** Marks the place of a value while an object is printed. */
const mark = (index: number): string => `@@${String(index)}@@`;

/** An object as a template: values in the places of those settings that concern it. */
function templateOf(object: JsonObject, choices: readonly Setting[]): string {
  const marked = choices.reduce<JsonObject>(
    (whole, choice, index) =>
      choice.places(whole).reduce<JsonObject>((part, path) => put(part, path, mark(index)) as JsonObject, whole),
    object,
  );
  const text = printObjects([marked]).replaceAll("{{", '{{ "{{" }}');
  const lines = text.split("\n").map((line) => lineOf(line, choices));
  const whole = lines.join("\n");
  if (nameOf(object) !== OPERATOR_NAMESPACE) return whole;
  return `{{- if ne .Release.Namespace "pepr-system" }}\n${whole}{{- end }}\n`;
}

function lineOf(line: string, choices: readonly Setting[]): string {
  const [, indent = "", field = "", index = ""] = /^([ -]*)([^:]+): "?@@(\d+)@@"?$/.exec(line) ?? [];
  const choice = index === "" ? undefined : choices[Number(index)];
  if (choice === undefined) return line;
  const value = choice.value.map((path) => `.Values.${path}`);
  if (!choice.isBlock)
    return `${indent}${field}: ${value.map((path) => `{{ ${path} }}`).join(":")}`.replace(
      /: (.*)$/,
      choice.isNumber === true ? ": $1" : ': "$1"',
    );
  const spaces = indent.replaceAll("-", " ");
  return `${spaces}{{- with ${value.join("")} }}\n${indent}${field}:\n{{ toYaml . | indent ${String(indent.length + 2)} }}\n${spaces}{{- end }}`;
}

function put(whole: Json | undefined, [step, ...rest]: readonly (string | number)[], value: Json): Json {
  if (step === undefined) return value;
  if (typeof step === "number") {
    const list = whole as readonly Json[];
    return list.map((entry, index) => (index === step ? put(entry, rest, value) : entry));
  }
  const object = isObject(whole) ? whole : {};
  return { ...object, [step]: put(object[step], rest, value) };
}

/** values.yaml: each value with what it is for above it. */
function valuesYaml(choices: readonly Setting[]): string {
  const values = tree(choices, (key) => key.default);
  const about = new Map(choices.flatMap(({ keys }) => keys.map(({ path, about: text }) => [path, text])));
  const lines: string[] = [
    "# The values of Berth's chart. Everything else is as `kubectl apply -k manifests/` has it.",
  ];
  const print = (value: Json, path: string, indent: string): void => {
    for (const [field, part] of Object.entries(value as JsonObject)) {
      const at = path === "" ? field : `${path}.${field}`;
      const text = about.get(at);
      if (text !== undefined) lines.push(`${indent}# ${text}`);
      if (text === undefined && isObject(part)) {
        lines.push(`${indent}${field}:`);
        print(part, at, `${indent}  `);
      } else
        lines.push(
          ...printObjects([{ [field]: part }])
            .trimEnd()
            .split("\n")
            .map((line) => indent + line),
        );
    }
  };
  print(values, "", "");
  return `${lines.join("\n")}\n`;
}

function schemaOf(choices: readonly Setting[]): JsonObject {
  const properties = tree(choices, (key) => ({ ...key.schema, description: key.about }));
  const nest = (value: Json, path: string): JsonObject => {
    const isLeaf = choices.some(({ keys }) => keys.some((key) => key.path === path));
    if (isLeaf) return value as JsonObject;
    const parts = Object.entries(value as JsonObject).map(([field, part]) => [
      field,
      nest(part, path === "" ? field : `${path}.${field}`),
    ]);
    return { type: "object", additionalProperties: false, properties: Object.fromEntries(parts) as JsonObject };
  };
  const { properties: values = {} } = nest(properties, "");
  const withGlobal = { ...(values as JsonObject), global: { type: "object" } };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Values of Berth's chart",
    type: "object",
    additionalProperties: false,
    properties: withGlobal,
  };
}

type Key = Setting["keys"][number];

function tree(choices: readonly Setting[], leaf: (key: Key) => Json): JsonObject {
  return choices
    .flatMap(({ keys }) => keys)
    .reduce<JsonObject>((whole, key) => put(whole, key.path.split("."), leaf(key)) as JsonObject, {});
}
