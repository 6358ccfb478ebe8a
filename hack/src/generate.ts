/**
 * Makes what is written down elsewhere: cluster/generated from manifests (the types of the CRDs, the objects that the operator
 * applies), docs/messages.md from the sentences of core/explain, and docs/reference.md from the names in the source.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { parseAllDocuments } from "yaml";
import { messagesPage } from "./messages/page.ts";
import { reference } from "./reference.ts";

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

const objects = [...crds, ...yamlFiles("announcer")].flatMap((file) =>
  parseAllDocuments(readFileSync(file, "utf8")).map((document) => {
    const object: unknown = document.toJS();
    return object;
  }),
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

async function write(path: string, content: string): Promise<void> {
  writeFileSync(path, await format(content, { ...(await resolveConfig(path)), filepath: path }));
}

function generatedTypes(): [string, string][] {
  return readdirSync(target)
    .filter((name) => name !== "manifests.ts")
    .map((name) => [name, readFileSync(join(target, name), "utf8")]);
}
