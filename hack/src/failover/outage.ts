/** A time without API server, and the return of everything after it. */
import { pickList, pickText } from "../lab/json.ts";
import { until } from "../shell.ts";
import type { Target } from "../target.ts";

/** Runs work while the API server is away; afterwards it is there again and every node is ready. */
export async function withoutApi(target: Target, work: () => Promise<void>): Promise<void> {
  await target.lab("api", "stop");
  try {
    await work();
  } finally {
    await target.lab("api", "start");
    await nodesBack(target, Date.now());
  }
}

/** Waits until every kubelet has renewed its Lease since then and every node is ready: before that no Service has endpoints. */
export async function nodesBack({ json }: Target, sinceMillis: number): Promise<void> {
  await until("the nodes to be back", 180_000, 1_000, async () => {
    const leases = pickList(await json(["get", "leases", "-n", "kube-node-lease"]), "items");
    const nodes = pickList(await json(["get", "nodes"]), "items");
    const isRenewed = leases.every((lease) => Date.parse(pickText(lease, "spec", "renewTime")) > sinceMillis);
    const isReady = nodes.every((node) =>
      pickList(node, "status", "conditions").some(
        (one) => pickText(one, "type") === "Ready" && pickText(one, "status") === "True",
      ),
    );
    return isRenewed && isReady ? true : undefined;
  });
}
