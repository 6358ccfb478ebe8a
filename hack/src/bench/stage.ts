/** A lab with Berth on it, or MetalLB, and a pool for the bench; what the bench makes goes again. */
import { apiOver, type Api } from "../../../cluster/api.ts";
import { kinds, type IPAddress, type Service } from "../../../cluster/kinds.ts";
import { keys } from "../../../core/keys.ts";
import { connect } from "../../../cluster/transport.ts";
import { awaitMetallb, manifestOf, METALLB_NAMESPACE, metallbObjects } from "../metallb.ts";
import { METALLB, neighbourImages } from "../neighbours.ts";
import { awaitCalm, bringUpLab, deploy } from "../product.ts";
import { until } from "../shell.ts";
import { targetLab, type Target } from "../target.ts";

/** Where the bench works. */
export type Stage = { readonly target: Target; readonly api: Api };

/** Namespace of the Services that Berth serves. */
export const NAMESPACE = "bench";
/** Where Pepr's webhook never looks, and the class that is somebody else's: nothing of Berth is asked or writes. */
export const ELSEWHERE = { namespace: "kube-system", loadBalancerClass: "example.com/somebody-else" } as const;
const pool = (namespace: string): string =>
  manifestOf([
    {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: "bench", namespace },
      spec: { addresses: ["10.64.0.0/16"] },
    },
    { apiVersion: "metallb.io/v1beta1", kind: "L2Advertisement", metadata: { name: "bench", namespace } },
  ]);

/** Selects the bench's Services. */
const MADE_BY = "made-by=bench";
/** Longest wait for claims to go, in milliseconds. */
const CLEAR_MILLIS = 600_000;
/** Nodes of the lab; MetalLB's figures were taken on three. */
export const NODES = 3;
const UP = ["--nodes", String(NODES), "--audit"] as const;
/** Longest wait for MetalLB's webhooks, in milliseconds. */
const WEBHOOKS_MILLIS = 120_000;

/**
 * Runs `work` on a lab that is brought up for it and taken down afterwards; with BERTH_LAB_READY on the lab BERTH_LAB,
 * which is up (with --audit) and has Berth on it, and stays.
 */
export async function onStage<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  const target = await targetLab(process.env["BERTH_LAB"] ?? "bench");
  const isBorrowed = process.env["BERTH_LAB_READY"] !== undefined;
  try {
    if (!isBorrowed) {
      await bringUpLab(target, UP);
      await deploy(target);
      await awaitCalm(target);
    }
    await target.tryKubectl(["create", "namespace", NAMESPACE]);
    await target.kubectl(["apply", "-f", "-"], pool(NAMESPACE));
    const stage = await stageOn(target);
    await clear(stage); // what an earlier run has left
    const result = await work(stage);
    if (isBorrowed) await target.kubectl(["delete", "namespace", NAMESPACE]);
    return result;
  } finally {
    if (!isBorrowed) await target.lab("down");
  }
}

/** Runs `work` on a lab of the same size that has MetalLB in Berth's place, as upstream's manifest installs it. */
export async function onMetallbStage<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  const target = await targetLab("bench-metallb");
  try {
    await target.lab("up", ...UP);
    await target.lab("load", ...(await neighbourImages(METALLB)).map(({ archive }) => archive));
    await target.kubectl(["apply", "-f", "-"], manifestOf(await metallbObjects()));
    await awaitMetallb(target);
    await target.kubectl(["create", "namespace", NAMESPACE]);
    await until("MetalLB's webhooks", WEBHOOKS_MILLIS, 1_000, async () => {
      const { code } = await target.tryKubectl(["apply", "-f", "-"], pool(METALLB_NAMESPACE));
      return code === 0 ? true : undefined;
    });
    return await work(await stageOn(target));
  } finally {
    await target.lab("down");
  }
}

async function stageOn(target: Target): Promise<Stage> {
  process.env["KUBECONFIG"] = target.kubeconfig;
  return { target, api: apiOver(await connect()) };
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
