/** The operator as a whole: that all of it is there, or taken away for a while. */
import type { Target } from "../../hack/src/target.ts";

const inNamespace = ["-n", "pepr-system"];
/** Its Deployments: who answers the webhooks, and who watches. */
export const DEPLOYMENTS = ["pepr-berth", "pepr-berth-watcher"] as const;

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
