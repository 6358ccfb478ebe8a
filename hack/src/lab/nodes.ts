/** Starting nodes: each a process tree in network, mount, process and host name namespaces of its own. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run, until } from "../shell.ts";
import { apiUrl, fileKubeconfig } from "./control-config.ts";
import { makeNodeCgroup } from "./cgroups.ts";
import { inNamespace } from "./network.ts";
import { nodeFiles, nodeFolders, type Machine } from "./node-config.ts";
import { containerdSocket, logPath, nodePath, type Paths } from "./paths.ts";
import type { LabPlan, NodePlan } from "./plan.ts";
import { isAlive, startPart } from "./processes.ts";
import type { Part } from "./record.ts";

export type StartedNode = {
  readonly part: Part;
  /** Lets kubelet and kube-proxy start. */
  readonly join: () => void;
};

/** Writes everything a node reads. */
export function writeNode(paths: Paths, plan: LabPlan, node: NodePlan, machine: Machine): void {
  for (const folder of nodeFolders(paths, node)) mkdirSync(folder, { recursive: true });
  const base = nodePath(paths, node.name);
  const kubeconfigs = [
    { path: join(base, "kubelet.kubeconfig"), text: fileKubeconfig(paths, apiUrl(plan), node.name) },
    { path: join(base, "kube-proxy.kubeconfig"), text: fileKubeconfig(paths, apiUrl(plan), "proxy") },
  ];
  for (const { path, text } of [...nodeFiles(paths, plan, node, machine), ...kubeconfigs]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Starts a node's first process, which starts containerd. Killing it ends everything on the node. */
export function startNode(paths: Paths, cgroup: string, node: NodePlan): StartedNode {
  makeNodeCgroup(paths, node.name);
  const { part, stdin } = startPart({
    name: node.name,
    command: inNamespace(paths, node.name, [
      ...["unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child=SIGKILL", "--mount-proc"],
      ...["bash", join(nodePath(paths, node.name), "init.sh")],
    ]),
    log: logPath(paths, node.name),
    cgroup,
  });
  return { part, join: () => stdin.end("join\n") };
}

/** Waits until a node's containerd answers. */
export async function containerdReady(paths: Paths, node: NodePlan, part: Part): Promise<void> {
  const socket = containerdSocket(paths, node.name);
  await until(`containerd of ${node.name}`, 30_000, 50, () => {
    if (!isAlive(part)) throw new Error(`${node.name} ended at once; see ${logPath(paths, node.name)}`);
    return existsSync(socket) ? true : undefined;
  });
  await run("ctr", ["--address", socket, "--connect-timeout", "20s", "version"]);
}
