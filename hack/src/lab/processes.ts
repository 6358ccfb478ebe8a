/** Starting, finding and ending processes: by number and start time, never by name. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Writable } from "node:stream";
import { until } from "../shell.ts";
import type { Part } from "./record.ts";

/** Start time in clock ticks after boot out of a /proc/PID/stat line (proc(5), field 22), undefined for a zombie. */
export function parseStartTicks(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  const ticks = Number(fields[19]);
  return Number.isSafeInteger(ticks) ? ticks : undefined;
}

/** Start time of a running process, or undefined when there is none of that number. */
export function startTicksOf(pid: number): number | undefined {
  try {
    return parseStartTicks(readFileSync(`/proc/${String(pid)}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** Claims that the very process recorded is still running. */
export function isAlive(part: Part): boolean {
  return startTicksOf(part.pid) === part.startTicks;
}

/** Sends a signal to the recorded process; false when it is gone. */
function signalPart(part: Part, signal: NodeJS.Signals): boolean {
  return isAlive(part) && signalPid(part.pid, signal);
}

/** Sends a signal to a process; false when there is none of that number. */
export function signalPid(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Kills the recorded process and waits until it is gone. */
export async function endPart(part: Part): Promise<void> {
  signalPart(part, "SIGKILL");
  await until(`the end of ${part.name}`, 10_000, 10, () => (isAlive(part) ? undefined : true));
}

export type Start = {
  readonly name: string;
  readonly command: readonly string[];
  readonly log: string;
  /** Folder of the cgroup that the process and all its children belong to. */
  readonly cgroup: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** Arguments of `sh` that join a cgroup and then become the command. */
export const joining = (cgroup: string, command: readonly string[]): readonly string[] => [
  "-c",
  'echo $$ > "$1/cgroup.procs" && shift && exec "$@"',
  "sh",
  cgroup,
  ...command,
];

/**
 * Starts a process that outlives this one, its output appended to its log.
 * `stdin` stays open until it is ended or this process is.
 */
export function startPart(start: Start): { readonly part: Part; readonly stdin: Writable } {
  const log = openSync(start.log, "a");
  try {
    const child = spawn("sh", joining(start.cgroup, start.command), {
      cwd: "/",
      detached: true,
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], LANG: "C.UTF-8", ...start.env },
      stdio: ["pipe", log, log],
    });
    child.unref();
    const startTicks = child.pid === undefined ? undefined : startTicksOf(child.pid);
    if (child.pid === undefined || startTicks === undefined || child.stdin === null) {
      throw new Error(`start ${start.name}; see ${start.log}`);
    }
    child.stdin.on("error", () => undefined); // it ended before it read; whoever waits for it will say so
    return { part: { name: start.name, pid: child.pid, startTicks }, stdin: child.stdin };
  } finally {
    closeSync(log);
  }
}

function namespaceOf(pid: number, kind: "pid" | "pid_for_children"): string | undefined {
  try {
    return readlinkSync(`/proc/${String(pid)}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

/** Numbers of all processes of this machine. */
function allPids(): readonly number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** Command names and host pids of the processes inside the pid namespace that `holder` made for its children. */
export function insideOf(holder: Part): readonly { readonly pid: number; readonly name: string }[] {
  const wanted = namespaceOf(holder.pid, "pid_for_children");
  if (!isAlive(holder) || wanted === undefined) return [];
  return allPids()
    .filter((pid) => namespaceOf(pid, "pid") === wanted)
    .map((pid) => ({ pid, name: commandName(pid) }));
}

function commandName(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
