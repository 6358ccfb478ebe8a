/**
 * Makes what is written down elsewhere: cluster/generated from manifests (the types that cluster/crd.ts lets in, the objects that
 * the operator applies), docs/messages.md from the sentences of core/explain, docs/reference.md from the names in the source, the
 * tables of docs/security.md from the rules of RBAC, and the part of manifests/ that Pepr makes of package.json.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { kustomizeFiles } from "./install/kustomize.ts";
import { installation } from "./install/manifests.ts";
import { buildModule } from "./install/module.ts";
import { parseObjects } from "./install/object.ts";
import { messagesPage } from "./messages/page.ts";
import { reference } from "./reference.ts";
import { withRights } from "./rights/page.ts";

const root = join(import.meta.dirname, "../..");
const target = join(root, "cluster/generated");

const yamlFiles = (folder: string): string[] =>
  readdirSync(join(root, "manifests", folder))
    .filter((name) => name.endsWith(".yaml"))
    .toSorted()
    .map((name) => join(root, "manifests", folder, name));

const crds = yamlFiles("crds");
for (const file of crds) {
  execFileSync(join(root, "node_modules/.bin/kubernetes-fluent-client"), ["crd", file, target], { stdio: "pipe" });
}

const door = readFileSync(join(root, "cluster/crd.ts"), "utf8");
for (const name of readdirSync(target))
  if (name !== "manifests.ts" && !door.includes(`/${name}"`)) rmSync(join(target, name));

const objects = [...crds, ...yamlFiles("operator"), ...yamlFiles("announcer")].flatMap((file) =>
  parseObjects(readFileSync(file, "utf8")),
);
const text = `/** Made from manifests/ by hack/src/generate.ts; edit them, not this. */

/** An object as the API server takes it. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  readonly [field: string]: unknown;
};

/** Everything that the operator applies when it starts, in this order. */
export const manifests: readonly Manifest[] = ${JSON.stringify(objects)};
`;

for (const [name, content] of new Map([["manifests.ts", text], ...generatedTypes()])) {
  await write(join(target, name), content);
}
await write(join(root, "docs/messages.md"), messagesPage());
await write(join(root, "docs/reference.md"), reference());
const security = join(root, "docs/security.md");
await write(security, withRights(readFileSync(security, "utf8")));
await writeManifests();

/** After the files above, since they are part of the module. */
async function writeManifests(): Promise<void> {
  const built = await buildModule();
  const files = kustomizeFiles(await installation(built), built.hash);
  rmSync(join(root, "manifests/pepr"), { recursive: true, force: true });
  mkdirSync(join(root, "manifests/pepr"));
  for (const [path, content] of files) await write(join(root, "manifests", path), content);
}

async function write(path: string, content: string): Promise<void> {
  writeFileSync(path, await format(content, { ...(await resolveConfig(path)), filepath: path }));
}

function generatedTypes(): [string, string][] {
  return readdirSync(target)
    .filter((name) => name !== "manifests.ts")
    .map((name) => [name, readFileSync(join(target, name), "utf8")]);
}
