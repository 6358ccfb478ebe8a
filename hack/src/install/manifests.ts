/** The objects that kubectl and Helm install: Pepr's, made fit to stand in a file, and those of manifests/. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { podSpec } from "../../../cluster/pods.ts";
import { wantedWatchers } from "../../../cluster/watchers.ts";
import { narrowed } from "../../../cluster/webhooks.ts";
import settings from "../../../package.json" with { type: "json" };
import { references } from "../images.ts";
import { pickText } from "../lab/json.ts";
import { root } from "../target.ts";
import type { Built } from "./module.ts";
import { nameOf, overlay, parseObjects, toJson, type Json, type JsonObject } from "./object.ts";
import { NAME, peprObjects } from "./pepr-objects.ts";

/** Folders of manifests/ that are part of every installation, in the order in which they are applied. */
const FOLDERS = ["crds", "operator", "announcer"] as const;

/** What an installation consists of. */
export type Installation = {
  /** Files of manifests/, by their path in it, with the objects in them. */
  readonly files: ReadonlyMap<string, readonly JsonObject[]>;
  /** What Pepr's deploy would write, as a file can hold it: no secret, and where it is secret only to the cluster, nothing. */
  readonly pepr: readonly JsonObject[];
  /** The Secret with the module's code. */
  readonly module: JsonObject;
};

/** Reads and makes all objects. */
export async function installation(built: Built): Promise<Installation> {
  const objects = await peprObjects(built, references.operator);
  const isModule = (object: JsonObject): boolean => nameOf(object) === `Secret pepr-system/${NAME}-module`;
  const module = objects.find(isModule);
  if (module === undefined)
    throw new Error(`Pepr makes no Secret ${NAME}-module any more; follow it in hack/src/install`);
  const files = manifestFiles();
  const written = new Set([...files.values()].flat().map(nameOf));
  const pepr = objects.filter((object) => !isModule(object) && !written.has(nameOf(object))).map(forFile);
  return { files, pepr, module };
}

/** All of it, namespaces and kinds first. */
export function allObjects({ files, pepr, module }: Installation): readonly JsonObject[] {
  const all = [...[...files.values()].flat(), ...pepr, module];
  const rank = (object: JsonObject): number => {
    const kind = pickText(object, "kind");
    if (kind.endsWith("WebhookConfiguration")) return FIRST.length + 1;
    return FIRST.includes(kind) ? FIRST.indexOf(kind) : FIRST.length;
  };
  return all.toSorted((left, right) => rank(left) - rank(right));
}
const FIRST = ["Namespace", "CustomResourceDefinition", "PriorityClass", "ServiceAccount"];

function manifestFiles(): ReadonlyMap<string, readonly JsonObject[]> {
  const present = new Set(readdirSync(join(root, "manifests")));
  const paths = FOLDERS.filter((folder) => present.has(folder)).flatMap((folder) =>
    readdirSync(join(root, "manifests", folder))
      .filter((name) => name.endsWith(".yaml"))
      .toSorted()
      .map((name) => `${folder}/${name}`),
  );
  return new Map(paths.map((path) => [path, parseObjects(readFileSync(join(root, "manifests", path), "utf8"))]));
}

/** One of Pepr's objects as a file can hold it. */
function forFile(object: JsonObject): JsonObject {
  switch (object["kind"]) {
    case "Deployment":
      return forFileDeployment(object);
    case "MutatingWebhookConfiguration":
    case "ValidatingWebhookConfiguration":
      return forFileWebhooks(object);
    default:
      return object;
  }
}

/** Without the stamp of a deploy and the Secrets that it makes anew, which nothing needs, and with what the operator adds after one. */
function forFileDeployment(deployment: JsonObject): JsonObject {
  const name = pickText(deployment, "metadata", "name");
  const isWatcher = name === `${NAME}-watcher`;
  const bare = JSON.stringify(deployment, (field, value: unknown) => {
    if (field === "annotations" && isStamp(value)) return undefined;
    return field === "volumes" || field === "volumeMounts" ? withoutDeploys(value) : value;
  });
  const env = [{ name: "BERTH_INSTALLED_BY", value: "manifests" }];
  const said = { spec: { template: { spec: { containers: [{ name: isWatcher ? "watcher" : "server", env }] } } } };
  const added = toJson({ spec: { template: { spec: podSpec(name, isWatcher ? "watcher" : "admission") } } });
  const number = isWatcher ? { spec: { replicas: wantedWatchers(settings.pepr.env) } } : {};
  return overlay(overlay(overlay(JSON.parse(bare) as Json, said), added), number) as JsonObject;
}

const isStamp = (value: unknown): boolean => Object.keys(Object(value) as object).join() === "buildTimestamp";

const withoutDeploys = (entries: unknown): unknown =>
  (entries as readonly unknown[]).filter((entry) => !["tls-certs", "api-path"].includes(pickText(entry, "name")));

/** Narrowed from the start; whom to trust and which path to ask, the watcher fills in. Pepr's own entry asks nobody. */
function forFileWebhooks(configuration: JsonObject): JsonObject {
  const nothing = { certificate: "", key: "", authorities: "", path: "" };
  const wanted = narrowed(configuration as Parameters<typeof narrowed>[0], nothing) ?? [];
  const ours = JSON.stringify(wanted, (field, value: unknown) => (field === "path" ? undefined : value));
  const whole = overlay(configuration, { webhooks: JSON.parse(ours) as Json });
  const text = JSON.stringify(whole, (field, value: unknown) => (field === "caBundle" ? undefined : value));
  return JSON.parse(text) as JsonObject;
}
