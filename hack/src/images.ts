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
import { run } from "./shell.ts";

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
  return [await operatorImage(), await announcerImage()];
}

async function announcerImage(): Promise<Image> {
  const binary = await buildAnnouncer();
  return ensure("announcer", join(root, "announcer/Containerfile"), new Map([["announcer", binary]]));
}

async function operatorImage(): Promise<Image> {
  const { fileList } = await nodeFileTrace(ENTRIES, { base: root });
  const regular = [...fileList].filter((file) => statSync(join(root, file)).isFile());
  const files = new Map(regular.toSorted().map((file) => [join("app", file), join(root, file)]));
  files.set("usr/bin/node", process.execPath);
  for (const library of await libraries(process.execPath)) files.set(library.slice(1), library);
  return ensure("operator", join(root, "hack/operator.Containerfile"), files);
}

/** The shared libraries of a program, where its loader looks for them. */
async function libraries(program: string): Promise<readonly string[]> {
  const lines = (await run("ldd", [program])).split("\n");
  return lines.flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

/** Builds the image of these files (place in the image -> file) unless the cache has it. */
async function ensure(
  name: keyof typeof references,
  containerfile: string,
  files: ReadonlyMap<string, string>,
): Promise<Image> {
  const reference = references[name];
  const hash = createHash("sha256").update(reference).update(readFileSync(containerfile));
  for (const [place, file] of files) hash.update(place).update(readFileSync(file));
  const archive = join(cacheFolder(), "images", `${name}-${hash.digest("hex").slice(0, 16)}.tar`);
  if (!existsSync(archive)) await build(reference, { archive, containerfile, files });
  return { reference, archive };
}

type Recipe = { readonly archive: string; readonly containerfile: string; readonly files: ReadonlyMap<string, string> };

async function build(reference: string, { archive, containerfile, files }: Recipe): Promise<void> {
  mkdirSync(dirname(archive), { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "berth-image-"));
  try {
    const context = join(scratch, "context");
    stage(context, files);
    const storage = ["--storage-driver", "vfs", "--root", join(scratch, "root"), "--runroot", join(scratch, "run")];
    await run("buildah", [
      ...storage,
      "build",
      "--isolation",
      "chroot",
      "--timestamp",
      "0",
      "--tag",
      reference,
      "-f",
      containerfile,
      context,
    ]);
    const next = `${archive}.${String(process.pid)}`;
    await run("buildah", [...storage, "push", reference, `oci-archive:${next}:${reference}`]);
    renameSync(next, archive);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function stage(context: string, files: ReadonlyMap<string, string>): void {
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

if (import.meta.main)
  for (const { reference, archive } of await productImages()) console.log(`${reference}\t${archive}`);
