/** The rules as the sources grant them: package.json to the operator, the manifests to the announcers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import settings from "../../../package.json" with { type: "json" };
import { pickList, pickText } from "../lab/json.ts";
import type { Rule } from "./rights.ts";

const manifest = join(import.meta.dirname, "../../../manifests/announcer/announcer.yaml");

/** A rule of JSON that nobody vouches for. */
export function ruleOf(value: unknown): Rule {
  const list = (field: string): readonly string[] => pickList(value, field).filter((one) => typeof one === "string");
  const [resourceNames, rest] = [
    list("resourceNames"),
    { apiGroups: list("apiGroups"), resources: list("resources"), verbs: list("verbs") },
  ];
  return resourceNames.length === 0 ? rest : { ...rest, resourceNames };
}

const roles = parseAllDocuments(readFileSync(manifest, "utf8"))
  .map((document) => {
    const object: unknown = document.toJS();
    return object;
  })
  .filter((object) => pickText(object, "kind") === "Role");

/** What Pepr adds to the operator's rules by itself: the verbs on its Store, under the names of the rule that is there. */
const PEPRS: Rule = {
  apiGroups: ["pepr.dev"],
  resources: ["peprstores"],
  verbs: ["create", "get", "patch", "watch"],
  resourceNames: ["pepr-berth-store", "pepr-berth-schedule"],
};

export const granted = {
  operator: settings.pepr.rbac.map(ruleOf),
  announcer: roles.flatMap((role) => pickList(role, "rules").map(ruleOf)),
} as const;

/** With what Pepr adds. */
export const operatorInCluster: readonly Rule[] = [...granted.operator, PEPRS];
