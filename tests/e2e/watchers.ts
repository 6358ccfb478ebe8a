/** The operator's watchers as the end-to-end tests see them: which one leads, and where it runs. */
import { expect } from "vitest";
import { pickList, pickNumber, pickText } from "../../hack/src/lab/json.ts";
import { until } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";
import { podsWith, type Pod } from "./operator.ts";

const DEPLOYMENT = "pepr-berth-watcher";
const inNamespace = ["-n", "pepr-system"];

/** The watchers that are not on their way out. */
export const watcherPods = (target: Target): Promise<readonly Pod[]> =>
  podsWith(target, "pepr-system", "pepr.dev/controller=watcher");

/** The pod that the watchers' Lease names; empty where it names none. */
export async function leaderName({ json }: Target): Promise<string> {
  const lease = await json(["get", "lease", "berth-watcher", ...inNamespace]);
  return pickText(lease, "spec", "holderIdentity").split("_")[0] ?? "";
}

/** The watcher that leads, once two are ready and one of them does. */
export const leaderOfTwo = (target: Target): Promise<Pod> =>
  until("two watchers, one of which leads", 180_000, 500, async () => {
    const ready = (await watcherPods(target)).filter(({ isReady }) => isReady);
    const leader = await leaderName(target);
    return ready.length === 2 ? ready.find(({ name }) => name === leader) : undefined;
  });

/** Waits until another watcher leads than the one named; says after how many milliseconds. */
export async function awaitSuccessor(target: Target, before: string, withinMillis: number): Promise<number> {
  const startMillis = performance.now();
  await until("another leader", withinMillis, 50, async () => {
    const now = await leaderName(target);
    return now !== "" && now !== before ? now : undefined;
  });
  return performance.now() - startMillis;
}

/** Has a watcher on this node lead, by sending others away. */
export async function haveLeaderOn(target: Target, node: string): Promise<void> {
  const { kubectl } = target;
  const others = pickList(await target.json(["get", "nodes"]), "items")
    .map((one) => pickText(one, "metadata", "name"))
    .filter((name) => name !== node);
  for (let turn = 0; turn < 3; turn += 1) {
    const leader = await leaderOfTwo(target);
    if (leader.node === node) return;
    const isThere = (await watcherPods(target)).some((pod) => pod.node === node);
    // Where no watcher is on the node, the one that stands by is made anew there; else the leader, on another one.
    const leaving = (await watcherPods(target)).find(({ name }) => (name === leader.name) === isThere);
    const closed = isThere ? [node] : others;
    for (const other of closed) await kubectl(["cordon", other]);
    try {
      await kubectl(["delete", "pod", ...inNamespace, leaving?.name ?? ""]);
      await leaderOfTwo(target);
    } finally {
      for (const other of closed) await kubectl(["uncordon", other]);
    }
  }
  expect.fail(`no watcher on ${node} came to lead`);
}

/** How many watchers the Deployment asks for. */
export const wantedCount = async ({ json }: Target): Promise<number | undefined> =>
  pickNumber(await json(["get", "deployment", DEPLOYMENT, ...inNamespace]), "spec", "replicas");

/** `kubectl scale`, and the pods that are to go have gone. */
export async function scaleWatchers({ kubectl }: Target, count: number): Promise<void> {
  await kubectl(["scale", "deployment", DEPLOYMENT, ...inNamespace, `--replicas=${String(count)}`]);
  if (count > 0) return;
  const pods = ["pod", ...inNamespace, "-l", "pepr.dev/controller=watcher"];
  await kubectl(["wait", ...pods, "--for=delete", "--timeout=60s"]);
}
