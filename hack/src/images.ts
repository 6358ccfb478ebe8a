/** The images of the operator and the announcer, built once for each content of what goes into them and kept in the cache. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { nodeFileTrace } from "@vercel/nft";
import settings from "../../package.json" with { type: "json" };
import { buildAnnouncer } from "./announcer.ts";
import { cacheFolder } from "./cache.ts";
import { pickText } from "./lab/json.ts";
import { attempt, run } from "./shell.ts";

const root = join(import.meta.dirname, "../..");

/** An image by its name, and the archive (OCI) that holds it. */
export type Image = { readonly reference: string; readonly archive: string };

/** Names of the images, by the version of this checkout. */
export const references = {
  operator: `berth.dev/operator:${settings.version}`,
  announcer: `berth.dev/announcer:${settings.version}`,
} as const;

/** The files of node_modules that the module needs at run time; Pepr's container brings them, the bundle leaves them out. */
const ENTRIES = [
  "pepr/dist/controller.js",
  "pepr/dist/lib.js",
  "kubernetes-fluent-client/dist/index.js",
  "@kubernetes/client-node/dist/index.js",
  "pino/pino.js",
].map((file) => join("node_modules", file));

/** Builds what has changed, and says where the images are. */
export async function productImages(): Promise<readonly Image[]> {
  return [await ensure("operator", await operatorFiles()), await ensure("announcer", await announcerFiles())];
}

/** Place in the image -> file. */
export type Files = ReadonlyMap<string, string>;

/** What the announcer's image consists of. */
export const announcerFiles = async (): Promise<Files> => new Map([["announcer", await buildAnnouncer()]]);

/** What the operator's image consists of. */
export async function operatorFiles(): Promise<Files> {
  const { fileList } = await nodeFileTrace(ENTRIES, { base: root });
  const regular = [...fileList].filter((file) => statSync(join(root, file)).isFile());
  const files = new Map(regular.toSorted().map((file) => [join("app", file), join(root, file)]));
  files.set("usr/bin/node", process.execPath);
  for (const library of await libraries(process.execPath)) files.set(library.slice(1), library);
  return files;
}

/** The shared libraries of a program, where its loader looks for them. */
async function libraries(program: string): Promise<readonly string[]> {
  const lines = (await run("ldd", [program])).split("\n");
  return lines.flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

const containerfiles = {
  operator: join(root, "hack/operator.Containerfile"),
  announcer: join(root, "announcer/Containerfile"),
} as const;

/** Builds the image of these files unless the cache has it. */
async function ensure(name: keyof typeof references, files: Files): Promise<Image> {
  const reference = references[name];
  const hash = createHash("sha256").update(reference).update(readFileSync(containerfiles[name]));
  for (const [place, file] of files) hash.update(place).update(readFileSync(file));
  const archive = join(cacheFolder(), "images", `${name}-${hash.digest("hex").slice(0, 16)}.tar`);
  if (!existsSync(archive)) await buildImage(name, files, archive);
  return { reference, archive };
}

/** Builds an image into an archive, with what the machine has for it: two builds of the same files give the same bytes but with docker. */
export async function buildImage(name: keyof typeof references, files: Files, archive: string): Promise<void> {
  mkdirSync(dirname(archive), { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "berth-image-"));
  try {
    const context = join(scratch, "context");
    stage(context, files);
    const next = `${archive}.${String(process.pid)}`;
    const label = `org.opencontainers.image.version=${settings.version}`;
    const args = ["--label", label, "--tag", references[name], "-f", containerfiles[name], context];
    await (
      await builder()
    )({ args, reference: references[name], archive: next, scratch });
    renameSync(next, archive);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The digest by which a registry knows the image in an archive; undefined in the format of its own that Docker before 25 writes. */
export async function digestOf(archive: string): Promise<string | undefined> {
  const names = (await run("tar", ["-tf", archive])).split("\n");
  if (!names.includes("index.json")) return undefined;
  const index: unknown = JSON.parse(await run("tar", ["-xOf", archive, "index.json"]));
  return pickText(index, "manifests", 0, "digest");
}

type Build = {
  readonly args: readonly string[];
  readonly reference: string;
  readonly archive: string;
  readonly scratch: string;
};

/** What builds, and the argument with which it succeeds where it can: docker only where its engine answers too. */
type Builder = { readonly isThere: string; readonly build: (build: Build) => Promise<unknown> };

const BUILDERS: Readonly<Record<string, Builder>> = {
  buildah: {
    isThere: "--version",
    build: async ({ args, reference, archive, scratch }) => {
      const storage = ["--storage-driver", "vfs", "--root", join(scratch, "root"), "--runroot", join(scratch, "run")];
      await run("buildah", [...storage, "build", "--isolation", "chroot", "--timestamp", "0", ...args]);
      await run("buildah", [...storage, "push", reference, `oci-archive:${archive}:${reference}`]);
    },
  },
  podman: {
    isThere: "--version",
    build: async ({ args, reference, archive }) => {
      await run("podman", ["build", "--timestamp", "0", ...args]);
      await run("podman", ["save", "--format", "oci-archive", "--output", archive, reference]);
    },
  },
  docker: {
    isThere: "info",
    build: async ({ args, reference, archive }) => {
      await run("docker", ["build", ...args]);
      await run("docker", ["save", "--output", archive, reference]);
    },
  },
};

/** Which of them the machine has, in the order in which they are taken. */
export async function builders(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const program of Object.keys(BUILDERS)) if (await isThere(program)) found.push(program);
  return found;
}

async function isThere(program: string): Promise<boolean> {
  const found = await attempt(program, [BUILDERS[program]?.isThere ?? ""]).catch(() => undefined);
  return found?.code === 0;
}

/** The first of them that the machine has, or the one that BERTH_BUILDER names. */
async function builder(): Promise<Builder["build"]> {
  const wanted = process.env["BERTH_BUILDER"];
  for (const [program, { build }] of Object.entries(BUILDERS)) {
    if ((wanted === undefined || program === wanted) && (await isThere(program))) return build;
  }
  throw new Error(
    `there is no ${wanted ?? Object.keys(BUILDERS).join(", ")} to build images with; install one of them`,
  );
}

function stage(context: string, files: Files): void {
  for (const [place, file] of files) {
    mkdirSync(dirname(join(context, place)), { recursive: true });
    copyFileSync(file, join(context, place));
  }
  if (!files.has("usr/bin/node")) return;
  // Pepr unpacks the module into /app, as the user that the container runs as.
  chmodSync(join(context, "app"), 0o1777);
  mkdirSync(join(context, "tmp"));
  chmodSync(join(context, "tmp"), 0o1777);
  mkdirSync(join(context, "etc"), { recursive: true });
  writeFileSync(join(context, "etc/passwd"), "nonroot:x:65532:65532::/app:/sbin/nologin\n");
}
