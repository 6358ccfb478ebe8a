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
const [MANAGER, SCHEDULER] = ["kube-controller-manager", "kube-scheduler"] as const;
/** What {@link startControllers} starts. */
export const CONTROLLERS = [MANAGER, SCHEDULER] as const;

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

/** Starts the controller manager and the scheduler, which want an API server that answers. */
export const startControllers = (paths: Paths, cgroup: string, binaries: KubernetesBinaries): readonly Part[] => [
  startControl(paths, cgroup, MANAGER, [binaries[MANAGER], ...controllerManagerFlags(paths)]),
  startControl(paths, cgroup, SCHEDULER, [binaries[SCHEDULER], ...schedulerFlags(paths)]),
];

/** Waits until the API server is ready; rejects as soon as it has ended. */
export async function apiAnswers(paths: Paths, api: ApiReader, part: Part): Promise<void> {
  const log = logPath(paths, API_SERVER);
  await until(`the API server; see ${log}`, 60_000, 100, async () => {
    if (!isAlive(part)) throw new Error(`the API server ended at once; see ${log}`);
    return (await api("/readyz")) === "ok" ? true : undefined;
  });
}
