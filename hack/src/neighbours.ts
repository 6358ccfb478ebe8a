/** Programs of other projects that Berth is tried beside, built once from the modules pinned in hack/ and kept in the cache. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder } from "./cache.ts";
import type { Image } from "./images.ts";
import { findExecutable, installedFolders } from "./lab/binaries.ts";
import { pickText } from "./lab/json.ts";
import { ociArchive } from "./lab/oci.ts";
import { run } from "./shell.ts";

/** A project: its folder in hack/, its module and the programs that are built of it. */
type Neighbour = { readonly name: string; readonly module: string; readonly programs: readonly string[] };

/** MetalLB's two halves. */
export const METALLB: Neighbour = {
  name: "metallb",
  module: "go.universe.tf/metallb",
  programs: ["controller", "speaker"],
};

/** The ingress controller that homelabs put behind their first address. */
export const TRAEFIK: Neighbour = {
  name: "traefik",
  module: "github.com/traefik/traefik/v3",
  programs: ["cmd/traefik"],
};

const folderOf = ({ name }: Neighbour): string => join(import.meta.dirname, "..", name);

/** The version of a module that a go.mod pins, such as "v0.16.1". */
export function pinnedModule(goMod: string, module: string): string {
  const lines = goMod.split("\n").map((line) =>
    line
      .trim()
      .replace(/^require /, "")
      .split(" "),
  );
  const version = lines.find(([path, found]) => path === module && found?.startsWith("v"))?.[1];
  if (version === undefined) throw new Error(`go.mod pins no version of ${module}`);
  return version;
}

const versionOf = (neighbour: Neighbour): string =>
  pinnedModule(readFileSync(join(folderOf(neighbour), "go.mod"), "utf8"), neighbour.module);

/** Folder of the module's own files (manifests, samples) in Go's cache, downloaded when it is not there. */
export async function moduleFolder(neighbour: Neighbour): Promise<string> {
  const said = await run("go", ["mod", "download", "-json", neighbour.module], { cwd: folderOf(neighbour) });
  const folder = pickText(JSON.parse(said), "Dir");
  if (folder === "") throw new Error(`go mod download ${neighbour.module} names no folder`);
  return folder;
}

/** An image of each program, in the order in which the neighbour lists them. */
export async function neighbourImages(neighbour: Neighbour, cache = cacheFolder()): Promise<readonly Image[]> {
  const version = versionOf(neighbour);
  const folder = join(cache, neighbour.name, version);
  const missing = neighbour.programs.filter((program) => !existsSync(join(folder, basename(program))));
  if (missing.length > 0) await build(neighbour, { programs: missing, version, folder });
  return neighbour.programs.map((path) => {
    const program = basename(path);
    const reference = `berth.dev/lab-${program}:${version}`;
    return { reference, archive: archiveOf(join(folder, program), reference) };
  });
}

type Build = { readonly programs: readonly string[]; readonly version: string; readonly folder: string };

async function build(neighbour: Neighbour, { programs, version, folder }: Build): Promise<void> {
  if (findExecutable("go", installedFolders()) === undefined) throw new Error("no Go to build with; run hack/setup");
  const names = programs.map((program) => basename(program)).join(", ");
  process.stderr.write(`building ${names} of ${neighbour.name} ${version}, once; this takes minutes\n`);
  const building = `${folder}.building-${String(process.pid)}`;
  mkdirSync(building, { recursive: true });
  try {
    const packages = programs.map((program) => `${neighbour.module}/${program}`);
    await run("go", ["build", "-trimpath", "-ldflags", "-s -w", "-o", `${building}/`, ...packages], {
      cwd: folderOf(neighbour),
      env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
    });
    mkdirSync(folder, { recursive: true });
    for (const program of programs) renameSync(join(building, basename(program)), join(folder, basename(program)));
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** The archive beside the program, made when it is not there. */
function archiveOf(file: string, reference: string): string {
  const archive = `${file}.tar`;
  if (existsSync(archive)) return archive;
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const bytes = ociArchive({ reference, program: basename(file), binary: readFileSync(file), architecture });
  const next = `${archive}.${String(process.pid)}`;
  writeFileSync(next, bytes);
  renameSync(next, archive);
  return archive;
}
