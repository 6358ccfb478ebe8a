/** Berth's CRDs beside MetalLB's own: whatever people can write, read or see of a kind is the same. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseObjects, type Json, type JsonObject } from "../../hack/src/install/object.ts";
import { pick, pickList, pickText } from "../../hack/src/lab/json.ts";
import { METALLB, moduleFolder } from "../../hack/src/neighbours.ts";
import { root } from "../../hack/src/target.ts";

const crdsIn = (folder: string): ReadonlyMap<string, JsonObject> => {
  const objects = readdirSync(folder).flatMap((name) => parseObjects(readFileSync(join(folder, name), "utf8")));
  return new Map(objects.map((object) => [pickText(object, "metadata", "name"), object]));
};
const ours = crdsIn(join(root, "manifests/crds"));
const upstream = crdsIn(join(await moduleFolder(METALLB), "config/crd/bases"));

/** What a schema says of each field, by its path; texts for people are each project's own. */
function fieldsOf(schema: unknown, path = ""): readonly (readonly [string, unknown])[] {
  const { properties, items, additionalProperties, description, ...said } = schema as Record<string, Json>;
  expect(["string", "undefined"]).toContain(typeof description);
  const below = Object.entries(Object(properties) as object).flatMap(([name, part]) =>
    fieldsOf(part, `${path}.${name}`),
  );
  const parts = [
    ...(items === undefined ? [] : fieldsOf(items, `${path}[]`)),
    ...(additionalProperties === undefined ? [] : fieldsOf(additionalProperties, `${path}{}`)),
  ];
  const { "x-kubernetes-validations": rules, required = [], ...facts } = said;
  const isJudged = rules !== undefined;
  return [[path, { ...facts, isJudged, required: (required as string[]).toSorted() }], ...below, ...parts];
}

/** Where Berth's schema says something else on purpose. */
const OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  // Peers of v1beta2 can be written in v1beta1 too, since neither version loses a field of the other.
  "bgppeers.metallb.io v1beta1": [
    ".spec",
    ".spec.nodeSelectors[]",
    ".spec.nodeSelectors[].matchExpressions",
    ".spec.nodeSelectors[].matchExpressions[]",
    ".spec.nodeSelectors[].matchExpressions[].values",
  ],
};

const versions = [...upstream].flatMap(([name, crd]) =>
  pickList(crd, "spec", "versions").map((version) => ({ name, version: pickText(version, "name"), theirs: version })),
);

test("every kind of MetalLB's is there but ConfigurationState, and no other", () => {
  const missing = [...upstream.keys()].filter((name) => !ours.has(name));
  expect(missing).toEqual(["configurationstates.metallb.io"]);
  expect([...ours.keys()].filter((name) => !upstream.has(name))).toEqual([]);
});

const kept = versions.filter(({ name }) => ours.has(name));

test.each(kept)("$name $version has MetalLB's names, columns and fields", ({ name, version, theirs }) => {
  const crd = ours.get(name);
  const names = (of: unknown) => [pickText(of, "spec", "scope"), pick(of, "spec", "names")];
  expect(names(crd)).toEqual(names(upstream.get(name)));
  const mine = pickList(crd, "spec", "versions").find((one) => pickText(one, "name") === version);
  const seen = (of: unknown) =>
    ["served", "storage", "deprecated", "subresources", "additionalPrinterColumns"].map((field) => pick(of, field));
  expect(seen(mine)).toEqual(seen(theirs));
  const fields = new Map(fieldsOf(pick(mine, "schema", "openAPIV3Schema")));
  const otherwise = fieldsOf(pick(theirs, "schema", "openAPIV3Schema")).filter(
    ([path, facts]) => JSON.stringify(sorted(fields.get(path))) !== JSON.stringify(sorted(facts)),
  );
  expect(otherwise.map(([path]) => path)).toEqual(OTHERWISE[`${name} ${version}`] ?? []);
});

/** With its fields in the order of their names. */
const sorted = (facts: unknown): unknown =>
  Object.entries(Object(facts) as object).toSorted(([left], [right]) => (left < right ? -1 : 1));
