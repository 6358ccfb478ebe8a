/** The operator as a whole, taken away for a while. */
import type { Target } from "../../hack/src/target.ts";

const inNamespace = ["-n", "pepr-system"];
const DEPLOYMENTS = ["pepr-berth", "pepr-berth-watcher"] as const;

/** Does something while no process of the operator runs; resolves once all of them are ready again. */
export async function withoutOperator(target: Target, work: () => Promise<void>): Promise<void> {
  await scale(target, 0);
  await target.kubectl(["wait", "pod", ...inNamespace, "--all", "--for=delete", "--timeout=60s"]);
  try {
    await work();
  } finally {
    await scale(target, 2);
    for (const name of DEPLOYMENTS)
      await target.kubectl(["rollout", "status", `deployment/${name}`, ...inNamespace, "--timeout=180s"]);
  }
}

async function scale({ kubectl }: Target, replicas: number): Promise<void> {
  const deployments = DEPLOYMENTS.map((name) => `deployment/${name}`);
  await kubectl(["scale", ...deployments, ...inNamespace, `--replicas=${String(replicas)}`]);
}
