/** Programs of other projects that Berth is tried beside, built once from the modules pinned in hack/ and kept in the cache. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { buildMissing, moduleHome, pinnedVersion, type GoModule } from "./go-programs.ts";
import type { Image } from "./images.ts";
import { pickText } from "./lab/json.ts";
import { ociArchive } from "./lab/oci.ts";
import { run } from "./shell.ts";

/** MetalLB's two halves. */
export const METALLB: GoModule = {
  name: "metallb",
  module: "go.universe.tf/metallb",
  programs: ["controller", "speaker"],
};

/** The ingress controller that homelabs put behind their first address. */
export const TRAEFIK: GoModule = {
  name: "traefik",
  module: "github.com/traefik/traefik/v3",
  programs: ["cmd/traefik"],
};

/** Folder of the module's own files (manifests, samples) in Go's cache, downloaded when it is not there. */
export async function moduleFolder(neighbour: GoModule): Promise<string> {
  const said = await run("go", ["mod", "download", "-json", neighbour.module], { cwd: moduleHome(neighbour) });
  const folder = pickText(JSON.parse(said), "Dir");
  if (folder === "") throw new Error(`go mod download ${neighbour.module} names no folder`);
  return folder;
}

/** An image of each program, in the order in which the neighbour lists them. */
export async function neighbourImages(neighbour: GoModule, cache = cacheFolder()): Promise<readonly Image[]> {
  const version = pinnedVersion(neighbour);
  const folder = join(cache, neighbour.name, version);
  await buildMissing(neighbour, folder);
  return neighbour.programs.map((path) => {
    const program = basename(path);
    const reference = `berth.dev/lab-${program}:${version}`;
    return { reference, archive: archiveOf(join(folder, program), reference) };
  });
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
