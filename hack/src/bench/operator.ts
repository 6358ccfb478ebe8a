/** The operator's processes on a lab, and what they need of the machine. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pidsInNamed } from "../lab/cgroups.ts";
import { pickList, pickText } from "../lab/json.ts";
import { labPaths } from "../lab/paths.ts";
import { signalPid } from "../lab/processes.ts";
import { run } from "../shell.ts";
import type { Target } from "../target.ts";

/** One process: "watcher" or "admission-1", "admission-2", and its number on this machine. */
export type Process = {
  readonly name: string;
  readonly pid: number;
  /** Pepr's process that checks the module's hash, starts it and stays. */
  readonly launcher: number;
};

/** Memory in MiB: resident of the module and of its launcher, and what the module's heap holds after a collection. */
export type Memory = { readonly resident: number; readonly launcher: number; readonly heap: number };

const MEBIBYTE = 1 << 20;
const INSPECTOR = join(import.meta.dirname, "inspector.ts");

/** The processes of the operator's ready pods, by name. */
export async function operatorProcesses(target: Target): Promise<readonly Process[]> {
  const pods = pickList(await target.json(["get", "pods", "-n", "pepr-system"]), "items");
  const paths = labPaths(target.name, process.env);
  const found = pods.flatMap((pod) => {
    const [container] = pickList(pod, "status", "containerStatuses");
    const pids = pidsInNamed(paths, pickText(container, "containerID").replace("containerd://", ""));
    const [launcher, pid] = pids.toSorted((left, right) => left - right);
    if (launcher === undefined || pid === undefined) return [];
    return [{ role: pickText(pod, "metadata", "labels", "pepr.dev/controller"), pid, launcher }];
  });
  const byRole = Map.groupBy(found, ({ role }) => role);
  return [...byRole].flatMap(([role, group]) =>
    group.map(({ pid, launcher }, index) => ({
      name: group.length === 1 ? role : `${role}-${String(index + 1)}`,
      pid,
      launcher,
    })),
  );
}

/** The memory of a process now. Opens its inspector, on loopback in the pod. */
export async function memoryOf({ pid, launcher }: Process): Promise<Memory> {
  const resident = residentOf(pid); // before the collection, which gives pages back that the process had taken
  const heap = Number(await inspect(pid, "heap")) / MEBIBYTE;
  return { resident, launcher: residentOf(launcher), heap };
}

function residentOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1];
  return Number(kibibytes ?? "0") / 1024;
}

/** A CPU profile of a process over the next seconds, as JSON that Chrome's and VS Code's viewers read. */
export const profileOf = ({ pid }: Process, seconds: number): Promise<string> =>
  inspect(pid, "profile", String(seconds));

async function inspect(pid: number, ...words: readonly string[]): Promise<string> {
  if (!signalPid(pid, "SIGUSR1")) throw new Error(`process ${String(pid)} has ended`);
  const network = `--net=/proc/${String(pid)}/ns/net`;
  return run("nsenter", [network, "--", process.execPath, INSPECTOR, ...words]);
}

/**
 * Time on a processor that a process has had so far, in milliseconds (proc(5), /proc/PID/stat, fields 14 and 15); undefined
 * where it has ended.
 */
export function cpuMillis({ pid }: Process): number | undefined {
  const path = `/proc/${String(pid)}/stat`;
  if (!existsSync(path)) return undefined;
  const stat = readFileSync(path, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
