/** The lab's cgroups: on a version 2 machine, a version 1 machine, or one that has both. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { until } from "../shell.ts";
import { CGROUP_PARENT, type Paths } from "./paths.ts";
import { signalPid } from "./processes.ts";

export type Hierarchy = { readonly mount: string; readonly version: 1 | 2 };

/** The cgroup hierarchies in the text of /proc/self/mounts, version 2 first. */
export function parseHierarchies(mounts: string): readonly Hierarchy[] {
  const found = mounts.split("\n").flatMap((line): readonly Hierarchy[] => {
    const [, mount = "", type] = line.split(" ");
    if (type === "cgroup2") return [{ mount, version: 2 }];
    return type === "cgroup" ? [{ mount, version: 1 }] : [];
  });
  const unique = new Map(found.map((hierarchy) => [hierarchy.mount, hierarchy]));
  return [...unique.values()].sort((a, b) => b.version - a.version);
}

function hierarchies(): readonly Hierarchy[] {
  return parseHierarchies(readFileSync("/proc/self/mounts", "utf8"));
}

/**
 * The folder whose cgroup.procs takes the lab's own processes. One hierarchy is enough to find them all again:
 * version 2 where it is mounted, since it kills a whole tree at once.
 */
export function makePartsCgroup(paths: Paths): string {
  const [first] = hierarchies();
  if (first === undefined) throw new Error("no cgroup hierarchy is mounted; mount /sys/fs/cgroup");
  const folder = join(first.mount, paths.cgroup, "parts");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Hands every controller that a version 2 cgroup has on to the cgroups below it. */
function delegate(folder: string): void {
  const controllers = readFileSync(join(folder, "cgroup.controllers"), "utf8").trim().split(" ").filter(Boolean);
  for (const controller of controllers) {
    try {
      writeFileSync(join(folder, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      continue; // kubelet says which controllers it misses
    }
  }
}

/**
 * How many programs all labs together count for when the processors are shared out. A lab stands for machines of its own;
 * counted as one program, its nodes would stand still for as long as a second whenever something is compiled beside it.
 */
const FAVOURED = 100;

/** The files that hold a cgroup's share, one for each version, and what one program counts for there. */
const ONE_PROGRAM = { "cpu.weight": 100, "cpu.shares": 1_024 } as const;

/**
 * Has all labs together count for so many programs, and for a hundred at most, which is the default. What counts for many and
 * never rests takes the processors from the kernel's own threads, which carry packets, as the pods of a node never could.
 */
export function shareProcessors(programs = FAVOURED): void {
  for (const { mount } of hierarchies()) {
    for (const [name, value] of Object.entries(ONE_PROGRAM)) {
      const file = join(mount, CGROUP_PARENT, name);
      if (existsSync(file)) writeFileSync(file, String(value * Math.min(programs, FAVOURED)));
    }
  }
}

/** Makes the cgroup that kubelet hangs a node's pods under, in every hierarchy. */
export function makeNodeCgroup(paths: Paths, node: string): void {
  for (const { mount, version } of hierarchies()) {
    const lab = join(mount, paths.cgroup);
    mkdirSync(join(lab, node), { recursive: true });
    if (version === 2) for (const folder of [mount, dirname(lab), lab]) delegate(folder);
  }
  shareProcessors();
}

/** Makes a cgroup on a node beside its pods, where the processors are shared out; processes in its cgroup.procs count as the node's own. */
export function makeCgroupBeside(paths: Paths, node: string, name: string): string {
  const onNode = hierarchies().map(({ mount }) => join(mount, paths.cgroup, node));
  const sharing = onNode.find((folder) => Object.keys(ONE_PROGRAM).some((file) => existsSync(join(folder, file))));
  if (sharing === undefined) throw new Error(`node "${node}" has no cgroup that shares out processors`);
  const folder = join(sharing, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A folder and all folders below it, deepest first. */
function treeOf(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const below = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => treeOf(join(folder, entry.name)));
  return [...below, folder];
}

function pidsIn(folder: string): readonly number[] {
  try {
    return readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Host pids of the processes in the lab's cgroups whose folder has this name, such as a container's identifier. */
export function pidsInNamed(paths: Paths, name: string): readonly number[] {
  const pids = hierarchies().flatMap(({ mount }) =>
    treeOf(join(mount, paths.cgroup))
      .filter((folder) => folder.endsWith(`/${name}`))
      .flatMap(pidsIn),
  );
  return [...new Set(pids)];
}

/** Kills every process in the lab's cgroups and waits until they are empty. */
export async function killCgroups(paths: Paths): Promise<void> {
  await until("the lab's processes to end", 20_000, 20, () => {
    const trees = hierarchies().map(({ mount }) => treeOf(join(mount, paths.cgroup)));
    for (const tree of trees) {
      const kill = join(tree.at(-1) ?? "", "cgroup.kill");
      if (tree.length > 0 && existsSync(kill)) writeFileSync(kill, "1");
    }
    const pids = trees
      .flat()
      .flatMap(pidsIn)
      .filter((pid) => pid > 0);
    for (const pid of pids) signalPid(pid, "SIGKILL");
    return pids.length === 0 ? true : undefined;
  });
}

function removeFolder(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

/** Removes the lab's empty cgroups from every hierarchy; the shared parent goes with the last lab. */
export async function removeCgroups(paths: Paths): Promise<void> {
  await until("the lab's cgroups to go", 10_000, 20, () => {
    const left = hierarchies().flatMap(({ mount }) =>
      treeOf(join(mount, paths.cgroup)).filter((folder) => !removeFolder(folder)),
    );
    return left.length === 0 ? true : undefined;
  });
  for (const { mount } of hierarchies()) removeFolder(join(mount, CGROUP_PARENT));
}
