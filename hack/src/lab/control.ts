/** Starting and stopping the parts of the control plane. */
import { until } from "../shell.ts";
import type { ApiReader } from "./api.ts";
import type { KubernetesBinaries } from "./binaries.ts";
import { etcdFlags, apiserverFlags, controllerManagerFlags, schedulerFlags } from "./control-config.ts";
import { inNamespace } from "./network.ts";
import { logPath, type Paths } from "./paths.ts";
import { planLab } from "./plan.ts";
import { isAlive, startPart } from "./processes.ts";
import type { Part, Shape } from "./record.ts";

export const API_SERVER = "kube-apiserver";
/** What {@link startControllers} starts. */
export const CONTROLLERS = ["kube-controller-manager", "kube-scheduler"] as const;

function startControl(paths: Paths, cgroup: string, name: string, command: readonly string[]): Part {
  const { part, stdin } = startPart({
    name,
    command: inNamespace(paths, "control", command),
    log: logPath(paths, name),
    cgroup,
  });
  stdin.end();
  return part;
}

/** Starts etcd. */
export const startEtcd = (paths: Paths, cgroup: string): Part =>
  startControl(paths, cgroup, "etcd", ["etcd", ...etcdFlags(paths)]);

/** Starts the API server; etcd may still be starting. */
export const startApiServer = (paths: Paths, cgroup: string, binary: string, shape: Shape): Part => {
  const plan = planLab(shape.nodes, shape.ipv6);
  return startControl(paths, cgroup, API_SERVER, [binary, ...apiserverFlags(paths, plan, shape.audit)]);
};

/** Starts the controller manager and the scheduler, or those of them that are named; they want an API server that answers. */
export function startControllers(
  paths: Paths,
  cgroup: string,
  binaries: KubernetesBinaries,
  names: readonly (typeof CONTROLLERS)[number][] = CONTROLLERS,
): readonly Part[] {
  const flags = { "kube-controller-manager": controllerManagerFlags, "kube-scheduler": schedulerFlags };
  return names.map((name) => startControl(paths, cgroup, name, [binaries[name], ...flags[name](paths)]));
}

/** Waits until the API server is ready; rejects as soon as it has ended. */
export async function apiAnswers(paths: Paths, api: ApiReader, part: Part): Promise<void> {
  const log = logPath(paths, API_SERVER);
  await until(`the API server; see ${log}`, 60_000, 100, async () => {
    if (!isAlive(part)) throw new Error(`the API server ended at once; see ${log}`);
    return (await api("/readyz")) === "ok" ? true : undefined;
  });
}
