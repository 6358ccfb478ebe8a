/** Breaks what it can while others work: SIGKILL for processes, force for pods, the end of the API server. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { CGROUP_PARENT } from "../../../hack/src/lab/paths.ts";
import type { Target } from "../../../hack/src/target.ts";
import type { Random } from "./random.ts";

type Controller = "admission" | "watcher";

/**
 * What is broken at once, in this order. A container is killed at most once or twice before its pod is made anew, or
 * kubelet would let it wait ever longer.
 */
const ROUNDS: readonly (readonly string[])[] = [
  ["kill admission"],
  ["stop api"],
  ["kill watcher"],
  ["remove admission", "remove watcher"],
  ["kill admission", "kill watcher"],
  ["stop api", "remove watcher"],
];

/** For this long everything stands before the next round, in milliseconds: else nothing would ever be served. */
const PAUSE_MILLIS = 4_000;
/** How long everything may take to stand again, in milliseconds; then the next round comes all the same. */
const PATIENCE_MILLIS = 20_000;
const API_AWAY_MILLIS = 3_000;

/** Goes on until the signal, then gives what it did. */
export async function wreak(target: Target, random: Random, signal: AbortSignal): Promise<readonly string[]> {
  const done: string[] = [];
  for (let turn = 0; await pause(PAUSE_MILLIS * (0.5 + random.next()), signal); turn += 1) {
    for (const deed of ROUNDS[turn % ROUNDS.length] ?? []) {
      done.push(deed);
      await destroy(deed, target, random);
    }
    await recovered(target, signal);
  }
  return done;
}

async function destroy(deed: string, target: Target, random: Random): Promise<void> {
  const [verb, what] = deed.split(" ");
  if (verb === "stop") await restartApi(target);
  else if (verb === "remove") await removePod(target, what as Controller, random);
  else killProcess(target, what as Controller, random);
}

/** False where the signal came before the end of the pause. */
const pause = (millis: number, signal: AbortSignal): Promise<boolean> =>
  sleep(millis, true, { signal }).catch(() => false);

/** Waits until every pod of the operator is ready again, or for long enough. */
async function recovered(target: Target, signal: AbortSignal): Promise<void> {
  const end = performance.now() + PATIENCE_MILLIS;
  while ((await pause(1_000, signal)) && performance.now() < end) {
    const ready = ["get", "deployments", "-n", "pepr-system", "-o", "jsonpath={.items[*].status.readyReplicas}"];
    const { stdout } = await target.tryKubectl(ready);
    if (stdout.split(" ").reduce((sum, count) => sum + Number(count), 0) === OPERATOR_PODS) return;
  }
}

/** Two admission pods and two watchers. */
const OPERATOR_PODS = 4;

async function restartApi({ lab }: Target): Promise<void> {
  await lab("api", "stop");
  await sleep(API_AWAY_MILLIS);
  await lab("api", "start");
}

async function removePod({ kubectl }: Target, controller: Controller, random: Random): Promise<void> {
  const label = `pepr.dev/controller=${controller}`;
  const pods = (await kubectl(["get", "pods", "-n", "pepr-system", "-l", label, "-o", "name"])).trim().split("\n");
  const pod = pods[random.below(pods.length)] ?? "";
  if (pod !== "") await kubectl(["delete", pod, "-n", "pepr-system", "--grace-period=0", "--force", "--wait=false"]);
}

/** Ends every process of one container at once. */
function killProcess(target: Target, controller: Controller, random: Random): void {
  const groups = [...Map.groupBy(operatorProcesses(target, controller), ({ cgroup }) => cgroup).values()];
  for (const { pid } of groups[random.below(groups.length)] ?? []) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended meanwhile
    }
  }
}

type Process = { readonly pid: number; readonly cgroup: string };

/** Host pids of the operator's processes in this lab. */
function operatorProcesses({ name }: Target, controller: Controller): readonly Process[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry): readonly Process[] => {
      const read = (file: string): string => {
        try {
          return readFileSync(`/proc/${entry}/${file}`, "utf8");
        } catch {
          return "";
        }
      };
      const cgroup = read("cgroup");
      if (!cgroup.includes(`/${CGROUP_PARENT}/${name}/`) || !read("cmdline").includes("/app/")) return [];
      const isWatcher = read("environ").split("\0").includes("PEPR_WATCH_MODE=true");
      return isWatcher === (controller === "watcher") ? [{ pid: Number(entry), cgroup }] : [];
    });
}
