/** A lab with Berth on it and a pool for the bench; what the bench makes goes again. */
import { apiOver, type Api } from "../../../cluster/api.ts";
import { kinds, type IPAddress, type Service } from "../../../cluster/kinds.ts";
import { keys } from "../../../core/keys.ts";
import { connect } from "../../../cluster/transport.ts";
import { awaitCalm, bringUpLab, deploy } from "../product.ts";
import { until } from "../shell.ts";
import { targetLab, type Target } from "../target.ts";

/** Where the bench works. */
export type Stage = { readonly target: Target; readonly api: Api };

/** Namespace of the Services that Berth serves. */
export const NAMESPACE = "bench";
/** Where Pepr's webhook never looks, and the class that is somebody else's: nothing of Berth is asked or writes. */
export const ELSEWHERE = { namespace: "kube-system", loadBalancerClass: "example.com/somebody-else" } as const;
const POOL = {
  apiVersion: "metallb.io/v1beta1",
  kind: "IPAddressPool",
  metadata: { name: "bench", namespace: NAMESPACE },
  spec: { addresses: ["10.64.0.0/16"] },
};
const ADVERTISEMENT = {
  apiVersion: "metallb.io/v1beta1",
  kind: "L2Advertisement",
  metadata: { name: "bench", namespace: NAMESPACE },
};

/** Selects the bench's Services. */
const MADE_BY = "made-by=bench";
/** Longest wait for claims to go, in milliseconds. */
const CLEAR_MILLIS = 600_000;
/** Nodes of the lab; MetalLB's figures were taken on three. */
export const NODES = 3;

/**
 * Runs `work` on a lab that is brought up for it and taken down afterwards; with BERTH_LAB_READY on the lab BERTH_LAB,
 * which is up (with --audit) and has Berth on it, and stays.
 */
export async function onStage(work: (stage: Stage) => Promise<void>): Promise<void> {
  const target = await targetLab(process.env["BERTH_LAB"] ?? "bench");
  const isBorrowed = process.env["BERTH_LAB_READY"] !== undefined;
  try {
    if (!isBorrowed) {
      await bringUpLab(target, ["--nodes", String(NODES), "--audit"]);
      await deploy(target);
      await awaitCalm(target);
    }
    process.env["KUBECONFIG"] = target.kubeconfig;
    const stage = { target, api: apiOver(await connect()) };
    await target.tryKubectl(["create", "namespace", NAMESPACE]);
    await target.kubectl(
      ["apply", "-f", "-"],
      [POOL, ADVERTISEMENT].map((object) => JSON.stringify(object)).join("\n---\n"),
    );
    await clear(stage); // what an earlier run has left
    await work(stage);
    if (isBorrowed) await target.kubectl(["delete", "namespace", NAMESPACE]);
  } finally {
    if (!isBorrowed) await target.lab("down");
  }
}

/** A LoadBalancer Service without pods, as a person writes it. */
export const loadBalancer = (namespace: string, name: string, spec: Service["spec"] = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace, name, labels: { "made-by": "bench" } },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: name }, ...spec },
});

/** Deletes the bench's Services, and waits until Berth has given up their claims. */
export async function clear({ target, api }: Stage): Promise<void> {
  for (const namespace of [NAMESPACE, ELSEWHERE.namespace]) {
    await target.kubectl(["delete", "services", "-n", namespace, "-l", MADE_BY, "--wait=false"]);
  }
  await until("the claims to be given up", CLEAR_MILLIS, 500, async () => {
    const { items } = await api.list(kinds.claims);
    return items.some(isOfBench) ? undefined : true;
  });
}

const isOfBench = ({ metadata, spec }: IPAddress): boolean =>
  metadata?.labels?.[keys.claimManagedBy] === keys.claimManager && spec?.parentRef.namespace === NAMESPACE;
