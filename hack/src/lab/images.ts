/** The lab's own images, built once for each content of their sources and kept in the cache. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, run } from "../shell.ts";
import { PAUSE_IMAGE } from "./node-config.ts";
import { ociArchive } from "./oci.ts";
import { containerdSocket, type Paths } from "./paths.ts";
import type { Snapshotter } from "./node-config.ts";

const SOURCES = join(import.meta.dirname, "../../programs");

/** Image of the web server that answers on 8080 (HTTP) and 8443 (HTTPS) with its pod's name. */
export const WEB_IMAGE = "berth.dev/lab-web:1";

const IMAGES = [
  { program: "pause", reference: PAUSE_IMAGE },
  { program: "web", reference: WEB_IMAGE },
] as const;

const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;

async function buildImage(program: string, reference: string, archive: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "berth-image-"));
  try {
    const file = join(scratch, program);
    await run("go", ["build", "-trimpath", "-ldflags", "-s -w", "-o", file, `./${program}`], {
      cwd: SOURCES,
      env: { CGO_ENABLED: "0" },
    });
    const bytes = ociArchive({ reference, program, binary: readFileSync(file), architecture: ARCHITECTURE });
    const next = `${archive}.${String(process.pid)}`;
    writeFileSync(next, bytes);
    renameSync(next, archive);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function ensureImage(program: string, reference: string, folder: string): Promise<string> {
  const source = readFileSync(join(SOURCES, program, "main.go"));
  const key = createHash("sha256").update(reference).update(ARCHITECTURE).update(source).digest("hex");
  const archive = join(folder, `${program}-${key.slice(0, 16)}.tar`);
  if (!existsSync(archive)) await buildImage(program, reference, archive);
  return archive;
}

/** Archives of the lab's own images, the pause image first. */
export async function labImages(cache: string): Promise<readonly string[]> {
  const folder = join(cache, "images");
  mkdirSync(folder, { recursive: true });
  return Promise.all(IMAGES.map(({ program, reference }) => ensureImage(program, reference, folder)));
}

/** Puts the images of an archive (OCI layout or `docker save`) into one node's containerd. */
export async function importImage(
  paths: Paths,
  node: string,
  snapshotter: Snapshotter,
  archive: string,
): Promise<void> {
  const socket = containerdSocket(paths, node);
  await run("ctr", [
    ...["--address", socket, "--namespace", "k8s.io"],
    ...["images", "import", "--snapshotter", snapshotter, archive],
  ]);
}

/** overlayfs where the kernel allows it on the disk that holds the lab, else plain copies. */
export async function chooseSnapshotter(folder: string): Promise<Snapshotter> {
  const probe = mkdtempSync(join(folder, "overlay-"));
  const script = `cd "$1" && mkdir lower upper work merged &&
    mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged`;
  try {
    const tried = await attempt("unshare", ["--mount", "sh", "-c", script, "sh", probe]);
    return tried.code === 0 ? "overlayfs" : "native";
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}
