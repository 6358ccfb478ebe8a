/** The operator as a whole: that all of it is there, or taken away for a while. */
import { pickList, pickText } from "../../hack/src/lab/json.ts";
import type { Target } from "../../hack/src/target.ts";

const inNamespace = ["-n", "pepr-system"];
/** Its Deployments: who answers the webhooks, and who watches. */
export const DEPLOYMENTS = ["pepr-berth", "pepr-berth-watcher"] as const;

/** A pod and its node. */
export type Pod = { readonly name: string; readonly node: string; readonly isReady: boolean };

/** The pods with a label that are not on their way out. */
export async function podsWith({ json }: Target, namespace: string, label: string): Promise<readonly Pod[]> {
  const pods = pickList(await json(["get", "pods", "-n", namespace, "-l", label]), "items");
  return pods
    .filter((pod) => pickText(pod, "metadata", "deletionTimestamp") === "")
    .map((pod) => {
      const ready = pickList(pod, "status", "conditions").find((one) => pickText(one, "type") === "Ready");
      const isReady = pickText(ready, "status") === "True";
      return { name: pickText(pod, "metadata", "name"), node: pickText(pod, "spec", "nodeName"), isReady };
    });
}

/** Does something while no process of the operator runs; resolves once all of them are ready again. */
export async function withoutOperator(target: Target, work: () => Promise<void>): Promise<void> {
  await scale(target, 0);
  await target.kubectl(["wait", "pod", ...inNamespace, "--all", "--for=delete", "--timeout=60s"]);
  try {
    await work();
  } finally {
    await scale(target, 2);
    await rolledOut(target);
  }
}

/** Waits until the pods of both Deployments are those that the Deployments ask for, and ready; so long for each. */
export async function rolledOut({ kubectl }: Target, withinSeconds = 180): Promise<void> {
  for (const name of DEPLOYMENTS) {
    const within = `--timeout=${String(withinSeconds)}s`;
    await kubectl(["rollout", "status", `deployment/${name}`, ...inNamespace, within]);
  }
}

async function scale({ kubectl }: Target, replicas: number): Promise<void> {
  const deployments = DEPLOYMENTS.map((name) => `deployment/${name}`);
  await kubectl(["scale", ...deployments, ...inNamespace, `--replicas=${String(replicas)}`]);
}
