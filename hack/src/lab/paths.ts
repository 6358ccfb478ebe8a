/** Where a lab keeps what: pure path arithmetic, nothing is read or made here. */
import { join } from "node:path";
import { cacheFolder } from "../cache.ts";

export type Paths = {
  readonly name: string;
  /** Folder of all labs; only this lab's folder and lock in it belong to this lab. */
  readonly root: string;
  readonly state: string;
  readonly lock: string;
  readonly record: string;
  readonly kubeconfig: string;
  readonly pki: string;
  readonly netns: string;
  readonly logs: string;
  readonly control: string;
  readonly nodes: string;
  /** The lab's cgroup, relative to a hierarchy's mount point. */
  readonly cgroup: string;
  readonly cache: string;
};

/** Folder under which the cgroups of all labs hang. */
export const CGROUP_PARENT = "berth-lab";

/** Longest path of a unix socket, without its closing zero (unix(7)). */
const MAX_SOCKET_PATH = 107;

/** Folders that a node replaces by its own, so no lab state may lie in them. */
const REPLACED = ["/run", "/var/run", "/var/lib", "/var/log", "/proc", "/sys", "/dev"] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Paths of the lab called `name`, from XDG_STATE_HOME, XDG_CACHE_HOME and HOME. */
export function labPaths(name: string, env: Environment): Paths {
  const home = env["HOME"] ?? "/root";
  const root = join(env["XDG_STATE_HOME"] ?? join(home, ".local/state"), "berth");
  const state = join(root, name);
  return {
    name,
    root,
    state,
    lock: join(root, `${name}.lock`),
    record: join(state, "lab.json"),
    kubeconfig: join(state, "kubeconfig"),
    pki: join(state, "pki"),
    netns: join(state, "netns"),
    logs: join(state, "logs"),
    control: join(state, "control"),
    nodes: join(state, "nodes"),
    cgroup: join(CGROUP_PARENT, name),
    cache: cacheFolder(env),
  };
}

/** Why a lab cannot live at these paths, as one sentence, or undefined when it can. */
export function unusablePaths(paths: Paths): string | undefined {
  const under = REPLACED.find((folder) => `${paths.state}/`.startsWith(`${folder}/`));
  if (under !== undefined) {
    return `state folder "${paths.state}" is below ${under}, which each node replaces; set XDG_STATE_HOME elsewhere`;
  }
  const longest = containerdSocket(paths, "node-20");
  if (longest.length + 12 > MAX_SOCKET_PATH) {
    return `state folder "${paths.state}" is too long for unix sockets; set XDG_STATE_HOME to a shorter path`;
  }
  return undefined;
}

/** File that keeps a network namespace alive. */
export const netnsPath = (paths: Paths, namespace: string): string => join(paths.netns, namespace);

/** Folder of one node. */
export const nodePath = (paths: Paths, node: string): string => join(paths.nodes, node);

/** Where the host reaches a node's containerd; inside the node it is /run/containerd/containerd.sock. */
export const containerdSocket = (paths: Paths, node: string): string =>
  join(nodePath(paths, node), "run/containerd/containerd.sock");

/** Log file of a part, such as "kube-apiserver" or "node-1-kubelet". */
export const logPath = (paths: Paths, part: string): string => join(paths.logs, `${part}.log`);
