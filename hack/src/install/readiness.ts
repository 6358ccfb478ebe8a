/** How far an installation has come, and what holds it up. */
import { setTimeout as sleep } from "node:timers/promises";
import { pick, pickList, pickNumber, pickText } from "../lab/json.ts";
import { Stop, type Kubectl } from "./kubectl.ts";

/** The parts, each by the object that runs it. */
const PARTS = [
  { part: "admission", kind: "deployment", namespace: "pepr-system", name: "pepr-berth" },
  { part: "watchers", kind: "deployment", namespace: "pepr-system", name: "pepr-berth-watcher" },
  { part: "announcers", kind: "daemonset", namespace: "metallb-system", name: "announcer" },
] as const;

/** Namespaces of Berth's pods. */
export const NAMESPACES = ["pepr-system", "metallb-system"] as const;

const POLL_MILLIS = 500;
/** For how long an image may fail to be pulled before it counts as missing, in milliseconds. */
const PULL_MILLIS = 15_000;

/** One part, as far as it is. */
export type Progress = {
  readonly part: string;
  readonly ready: number;
  readonly wanted: number;
  readonly isCurrent: boolean;
};

/** How far one part is, from its object: what counts is the newest version of it, and only once its controller has seen that. */
export function progressOf(part: string, object: unknown): Progress {
  const number = (...path: readonly string[]): number => pickNumber(object, "status", ...path) ?? 0;
  const isDaemonSet = pickText(object, "kind") === "DaemonSet";
  const wanted = isDaemonSet ? number("desiredNumberScheduled") : (pickNumber(object, "spec", "replicas") ?? 1);
  const ready = isDaemonSet ? number("numberReady") : number("readyReplicas");
  const updated = isDaemonSet ? number("updatedNumberScheduled") : number("updatedReplicas");
  const seen = number("observedGeneration") >= (pickNumber(object, "metadata", "generation") ?? 1);
  return { part, ready: Math.min(ready, updated), wanted, isCurrent: seen };
}

/** Whether all of it is there. */
export const isReady = ({ ready, wanted, isCurrent }: Progress): boolean => isCurrent && wanted > 0 && ready >= wanted;

/** A line that says how far the parts are. */
export const printProgress = (parts: readonly Progress[]): string =>
  parts.map(({ part, ready, wanted }) => `${part} ${String(ready)}/${String(wanted)}`).join(", ");

/** How far all parts are now. */
export const readProgress = (kubectl: Kubectl): Promise<readonly Progress[]> =>
  Promise.all(
    PARTS.map(async ({ part, kind, namespace, name }) => {
      const { code, stdout } = await kubectl.attempt(["get", kind, name, "-n", namespace, "-o", "json"]);
      return progressOf(part, code === 0 ? JSON.parse(stdout) : undefined);
    }),
  );

/** Waits until all parts are ready, saying each step; {@link Stop} with what holds it up. */
export async function awaitReady(kubectl: Kubectl, withinMillis: number, say: (line: string) => void): Promise<void> {
  const end = performance.now() + withinMillis;
  let said = "";
  let pullingSince = Infinity;
  for (;;) {
    const progress = await readProgress(kubectl);
    const line = printProgress(progress);
    if (line !== said) say(line);
    said = line;
    if (progress.every(isReady)) return;
    const obstacle = await findObstacle(kubectl);
    pullingSince = obstacle?.isImage === true ? Math.min(pullingSince, performance.now()) : Infinity;
    const isOver = performance.now() > end || performance.now() - pullingSince > PULL_MILLIS;
    if (isOver)
      throw new Stop(
        `not ready (${line})${obstacle === undefined ? "; see kubectl get pods -n pepr-system" : `: ${obstacle.text}`}`,
      );
    await sleep(POLL_MILLIS);
  }
}

/** What a pod waits for. */
export type Obstacle = { readonly text: string; readonly isImage: boolean };

async function findObstacle(kubectl: Kubectl): Promise<Obstacle | undefined> {
  for (const namespace of NAMESPACES) {
    const found = obstacleIn(await kubectl.list("pods", "-n", namespace));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first thing that a pod of the list waits for and that does not pass by itself. */
export function obstacleIn(pods: readonly unknown[]): Obstacle | undefined {
  for (const pod of pods) {
    const name = `pod ${pickText(pod, "metadata", "namespace")}/${pickText(pod, "metadata", "name")}`;
    const unscheduled = pickList(pod, "status", "conditions").find(
      (one) => pickText(one, "type") === "PodScheduled" && pickText(one, "status") === "False",
    );
    if (unscheduled !== undefined)
      return { text: `${name} has no node: ${pickText(unscheduled, "message")}`, isImage: false };
    for (const container of pickList(pod, "status", "containerStatuses")) {
      const found = waiting(name, pickText(pod, "spec", "nodeName"), container);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function waiting(pod: string, node: string, container: unknown): Obstacle | undefined {
  const reason = pickText(container, "state", "waiting", "reason");
  if (/^(ErrImage|ImagePull|ErrImageNeverPull|InvalidImageName)/.test(reason)) {
    const image = pickText(container, "image");
    return {
      text: `node ${node} can't get the image ${image} of ${pod}; build it with hack/images and bring it to every node, or to a registry that they reach`,
      isImage: true,
    };
  }
  if (reason !== "CrashLoopBackOff") return undefined;
  const exit = pick(container, "lastState", "terminated", "exitCode");
  const [, namespace = "", name = ""] = /^pod (.*)\/(.*)$/.exec(pod) ?? [];
  return {
    text: `${pod} ends again and again (exit code ${String(exit)}); see kubectl logs -n ${namespace} ${name} --previous`,
    isImage: false,
  };
}
