/** Berth as it was before: another commit's sources, images and bundle, kept in the cache by commit. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { pickText } from "./lab/json.ts";
import { deployFrom } from "./product.ts";
import { attempt, run } from "./shell.ts";
import { root, type Target } from "./target.ts";

/** An earlier Berth, ready to be deployed. */
export type Earlier = {
  readonly commit: string;
  /** How its images are labelled; never as this checkout's. */
  readonly version: string;
  readonly folder: string;
  /** Whether it is a commit before the last one; not so in a clone that has only one. */
  readonly isBefore: boolean;
};

/**
 * The sources of the commit that BERTH_UPGRADE_FROM names, else of the last release, else of the commit before the last. A
 * shallow clone has only the last one: then that is taken, whose images have another label all the same, so that an upgrade rolls
 * every pod.
 */
export async function earlierBerth(): Promise<Earlier> {
  const wanted = process.env["BERTH_UPGRADE_FROM"];
  const release = (await git("describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD~1")) ?? "HEAD~1";
  const found = await git("rev-parse", "--verify", "--quiet", `${wanted ?? release}^{commit}`);
  if (found === undefined && wanted !== undefined) {
    throw new Error(`BERTH_UPGRADE_FROM is "${wanted}", which is no commit here; git fetch it`);
  }
  const commit = found ?? (await git("rev-parse", "HEAD")) ?? "";
  const version = `0.0.0-${commit.slice(0, 12)}`;
  const commits = join(cacheFolder(), "commits");
  const folder = join(commits, commit);
  if (!existsSync(folder)) await extract(commit, version, folder);
  utimesSync(folder, new Date(), new Date());
  forgetUnused(commits);
  return { commit, version, folder, isBefore: found !== undefined };
}

/** What git prints; undefined where it fails. */
async function git(...args: readonly string[]): Promise<string | undefined> {
  const { code, stdout } = await attempt("git", args, { cwd: root });
  return code === 0 ? stdout.trim() : undefined;
}

async function extract(commit: string, version: string, folder: string): Promise<void> {
  const next = `${folder}.${String(process.pid)}`;
  mkdirSync(next, { recursive: true });
  try {
    await run("sh", ["-c", `git archive ${commit} | tar -x -C "${next}"`], { cwd: root });
    const settings = readFileSync(join(next, "package.json"), "utf8");
    const before = pickText(JSON.parse(settings), "version");
    writeFileSync(join(next, "package.json"), settings.replaceAll(before, version));
    // Dependencies change seldom, and by a pin in package.json. Links to the same files, half a gigabyte of them, where the cache
    // is on the same file system.
    const modules = join(root, "node_modules");
    const isLinked = (await attempt("cp", ["-al", modules, next])).code === 0;
    if (!isLinked) await run("cp", ["-a", modules, next]);
    renameSync(next, folder);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

/** How many commits are kept; whoever tries another one again waits some minutes for its build. */
const KEPT = 4;

/** Removes the folders that were not used for longest, but for so many. */
export function forgetUnused(commits: string, kept = KEPT): void {
  // Another process may be extracting a commit, under a name that tells of it.
  const names = readdirSync(commits).filter((name) => /^[0-9a-f]{40}$/.test(name));
  const folders = names.map((name) => join(commits, name));
  const used = new Map(folders.map((folder) => [folder, statSync(folder).mtimeMs]));
  const byUse = folders.toSorted((left, right) => (used.get(right) ?? 0) - (used.get(left) ?? 0));
  for (const folder of byUse.slice(kept)) {
    // Under another name first: half of a commit must not be taken for one.
    const going = `${folder}.${String(process.pid)}`;
    renameSync(folder, going);
    rmSync(going, { recursive: true, force: true });
  }
}

/** Loads its images into the lab; the first time, builds them. */
export async function loadEarlier(target: Target, { folder }: Earlier): Promise<void> {
  const archives = await imagesIn(folder, (cache) => buildImages(folder, cache));
  await target.lab("load", ...archives);
}

/** The archives of a commit's images, built where it has none yet; of the build's cache nothing else is kept, half a gigabyte. */
export async function imagesIn(
  folder: string,
  build: (cache: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const [cache, list] = [join(folder, ".cache"), join(folder, ".images")];
  const known = existsSync(list) ? readFileSync(list, "utf8").split("\n") : [];
  if (known.length > 0 && known.every((archive) => existsSync(archive))) return known;
  const archives = await build(cache);
  rmSync(join(cacheFolder({ XDG_CACHE_HOME: cache }), "target"), { recursive: true, force: true });
  writeFileSync(list, archives.join("\n"));
  return archives;
}

/**
 * Builds its images. In a cache of its own: two checkouts that share Cargo's folder get each other's programs, since Cargo tells by
 * the age of the sources whether they have changed.
 */
async function buildImages(folder: string, cache: string): Promise<readonly string[]> {
  // Its own function, of whatever version: how its images are asked for by hand has changed.
  const script = `
    const { productImages } = await import(${JSON.stringify(join(folder, "hack/src/images.ts"))});
    for (const { archive } of await productImages()) console.log(archive);`;
  const command = ["--input-type=module", "--eval", script];
  const printed = await run(process.execPath, command, { cwd: folder, env: { XDG_CACHE_HOME: cache } });
  return printed.trimEnd().split("\n");
}

/** Deploys it, over whatever runs. */
export const deployEarlier = (target: Target, { folder, version }: Earlier): Promise<string> =>
  deployFrom(folder, `berth.dev/operator:${version}`, target);
