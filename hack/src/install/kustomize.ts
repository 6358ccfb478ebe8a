/** The way in by kubectl: files that are committed, and the module, which is built. */
import { pickText } from "../lab/json.ts";
import type { Installation } from "./manifests.ts";
import { printObjects, type Json, type JsonObject } from "./object.ts";

/** Stands for the hash of the module in what is committed, so that a change of code changes no manifest. */
const MODULE = "set-by-dist-module";

const MADE = "# Made by hack/src/generate.ts from package.json and what Pepr makes of it; edit that, not this.\n";

/** File of manifests/pepr for each kind. */
const FILES: readonly (readonly [string, RegExp])[] = [
  ["namespace.yaml", /^Namespace$/],
  ["rbac.yaml", /^(ServiceAccount|(Cluster)?Role(Binding)?)$/],
  ["services.yaml", /^Service$/],
  ["deployments.yaml", /^Deployment$/],
  ["webhooks.yaml", /WebhookConfiguration$/],
];

/** The committed files by their path below manifests/. */
export function kustomizeFiles({ files, pepr }: Installation, hash: string): ReadonlyMap<string, string> {
  const made = FILES.map(([name, kinds]): [string, string] => {
    const objects = pepr.filter((object) => kinds.test(pickText(object, "kind")));
    return [`pepr/${name}`, objects.length === 0 ? "" : MADE + printObjects(objects).replaceAll(hash, MODULE)];
  }).filter(([, text]) => text !== "");
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [...files.keys(), ...made.map(([path]) => path)],
    components: ["../dist/module"],
  };
  return new Map([...made, ["kustomization.yaml", MADE + printObjects([kustomization])]]);
}

/** The component that brings the module, by path below dist/module. */
export function moduleFiles({ pepr, module }: Installation, hash: string): ReadonlyMap<string, string> {
  const deployments = pepr.filter(({ kind }) => kind === "Deployment");
  const component = {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    resources: ["module.yaml"],
    patches: deployments.map(
      (deployment): Json => ({
        target: { kind: "Deployment", name: pickText(deployment, "metadata", "name") },
        patch: JSON.stringify([{ op: "replace", path: argumentOf(deployment, hash), value: hash }]),
      }),
    ),
  };
  return new Map([
    ["kustomization.yaml", printObjects([component as JsonObject])],
    ["module.yaml", printObjects([module])],
  ]);
}

/** JSON pointer (RFC 6901) to the argument of the container that names the module. */
function argumentOf(value: Json, hash: string): string {
  if (value === hash) return "";
  if (value === null || typeof value !== "object") throw new Error(`the Deployment names no module ${hash}`);
  const found = Object.entries(value).find(([, part]) => JSON.stringify(part).includes(hash));
  if (found === undefined) throw new Error(`the Deployment names no module ${hash}`);
  return `/${found[0]}${argumentOf(found[1], hash)}`;
}
