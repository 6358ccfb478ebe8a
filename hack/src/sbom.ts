/** What an image is made of, as CycloneDX 1.6: read from the very files that go into it and from the lock files. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import lock from "../../package-lock.json" with { type: "json" };
import settings from "../../package.json" with { type: "json" };
import type { Files } from "./images.ts";
import { pick, pickList, pickText } from "./lab/json.ts";
import { run } from "./shell.ts";
import { root } from "./target.ts";

/** One part of an image. */
export type Component = {
  readonly type: "library" | "application" | "file";
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly licenses?: readonly object[];
  readonly hashes?: readonly object[];
};

/** The bill of materials; the same for the same parts, so without the time and number that are optional. */
export function printSbom(name: string, components: readonly Component[]): string {
  const sorted = components.toSorted((left, right) => ((left.purl ?? left.name) < (right.purl ?? right.name) ? -1 : 1));
  const component = { type: "container", name: `berth.dev/${name}`, version: settings.version };
  const sbom = { bomFormat: "CycloneDX", specVersion: "1.6", version: 1, metadata: { component }, components: sorted };
  return `${JSON.stringify(sbom, undefined, 2)}\n`;
}

/** The npm packages whose files are in the operator's image, Node, and the shared libraries that it takes. */
export function operatorComponents(files: Files): readonly Component[] {
  const places = [...files.keys()];
  const folders = new Set(
    places.flatMap((place) => /^app\/(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(place)?.[1] ?? []),
  );
  const libraries = places.filter((place) => /\.so(\.|$)/.test(basename(place)) && !place.startsWith("app/"));
  return [
    ...[...folders].map(npmPackage),
    {
      type: "application",
      name: "node",
      version: process.versions.node,
      purl: `pkg:generic/node@${process.versions.node}`,
      ...licensed("MIT"),
    },
    ...libraries.map((place): Component => ({ type: "file", name: `/${place}` })),
  ];
}

function npmPackage(folder: string): Component {
  const manifest: unknown = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  const [name, version] = [pickText(manifest, "name"), pickText(manifest, "version")];
  const [, content = ""] = /^sha512-(.*)$/.exec(pickText(lock, "packages", folder, "integrity")) ?? [];
  const hash = Buffer.from(content, "base64").toString("hex");
  return {
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    ...licensed(pickText(manifest, "license")),
    ...(hash === "" ? {} : { hashes: [{ alg: "SHA-512", content: hash }] }),
  };
}

/** The crates that are linked into the announcer, and the crate itself; not those for tests and builds. */
export async function announcerComponents(): Promise<readonly Component[]> {
  const target = `${process.arch === "arm64" ? "aarch64" : "x86_64"}-unknown-linux-gnu`;
  const args = ["metadata", "--format-version", "1", "--locked", "--filter-platform", target];
  const metadata: unknown = JSON.parse(await run("cargo", args, { cwd: join(root, "announcer") }));
  const nodes = new Map(pickList(metadata, "resolve", "nodes").map((node) => [pickText(node, "id"), node]));
  const packages = pickList(metadata, "packages");
  const macros = new Set(packages.filter(isMacro).map((one) => pickText(one, "id")));
  const linked = new Set<string>();
  const follow = (id: string): void => {
    if (linked.has(id) || macros.has(id)) return;
    linked.add(id);
    for (const dependency of pickList(nodes.get(id), "deps")) {
      const isLinked = pickList(dependency, "dep_kinds").some((one) => pick(one, "kind") === null);
      if (isLinked) follow(pickText(dependency, "pkg"));
    }
  };
  follow(pickText(metadata, "resolve", "root"));
  return packages
    .filter((one) => linked.has(pickText(one, "id")))
    .map((one): Component => {
      const [name, version] = [pickText(one, "name"), pickText(one, "version")];
      return {
        type: "library",
        name,
        version,
        purl: `pkg:cargo/${name}@${version}`,
        ...licensed(pickText(one, "license")),
      };
    });
}

/** A macro runs in the compiler, with all that it needs for that. */
const isMacro = (one: unknown): boolean =>
  pickList(one, "targets").some((target) => pickList(target, "kind").includes("proc-macro"));

const licensed = (expression: string): Pick<Component, "licenses"> =>
  expression === "" ? {} : { licenses: [{ expression: expression.replaceAll("/", " OR ") }] };
