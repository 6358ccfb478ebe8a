/** What there is in a cluster before Berth is installed: read, not judged. */
import { pick, pickList, pickText } from "../lab/json.ts";
import { lastLine, Stop, type Kubectl } from "./kubectl.ts";

/** A program that runs in the cluster. */
export type Workload = {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly images: readonly string[];
  /** Arguments and environment, as `NAME=VALUE`. */
  readonly words: readonly string[];
};

/** A LoadBalancer Service and the addresses in its status. */
export type Held = {
  readonly service: string;
  readonly loadBalancerClass: string;
  readonly addresses: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
};

/** What was read. */
export type Facts = {
  readonly workloads: readonly Workload[];
  readonly held: readonly Held[];
  /** kube-proxy's configuration, and Cilium's, where the cluster keeps them in ConfigMaps. */
  readonly kubeProxy: string;
  readonly cilium: Readonly<Record<string, string>>;
  readonly ciliumPools: number;
  /** Names of the ValidatingWebhookConfigurations. */
  readonly webhooks: readonly string[];
};

/** The context by name, and the version that its cluster runs, such as v1.36.3; {@link Stop} where nobody answers. */
export async function readVersion(kubectl: Kubectl): Promise<{ readonly context: string; readonly version: string }> {
  const context = await kubectl.attempt(["config", "current-context"]);
  const answer = await kubectl.attempt(["version", "-o", "json", "--request-timeout=10s"]);
  const version = pickText(parse(answer.stdout), "serverVersion", "gitVersion");
  const name = context.code === 0 ? context.stdout.trim() : "none";
  if (version !== "") return { context: name, version };
  const reason = lastLine({ ...answer, stdout: "" });
  throw new Stop(
    `no cluster answers in kubectl's context "${name}" (${reason}); see that "kubectl get nodes" works, then run this again`,
  );
}

/** All of the facts. */
export async function readFacts(kubectl: Kubectl): Promise<Facts> {
  const [workloads, services, kubeProxy, cilium, ciliumPools, webhooks] = await Promise.all([
    kubectl.list("daemonsets,deployments,pods", "-A"),
    kubectl.list("services", "-A"),
    configMap(kubectl, "kube-proxy"),
    configMap(kubectl, "cilium-config"),
    kubectl.list("ciliumloadbalancerippools.cilium.io"),
    kubectl.list("validatingwebhookconfigurations"),
  ]);
  return {
    workloads: workloads.map(workloadOf),
    held: services.filter(isLoadBalancer).map(heldBy),
    kubeProxy: kubeProxy["config.conf"] ?? "",
    cilium,
    ciliumPools: ciliumPools.length,
    webhooks: webhooks.map((webhook) => pickText(webhook, "metadata", "name")),
  };
}

async function configMap(kubectl: Kubectl, name: string): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await kubectl.attempt(["get", "configmap", name, "-n", "kube-system", "-o", "json"]);
  return texts(pick(parse(stdout), "data"));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const texts = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(Object(value) as object).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );

function workloadOf(object: unknown): Workload {
  const spec = pick(object, "spec", "template", "spec") ?? pick(object, "spec");
  const containers = pickList(spec, "containers");
  return {
    kind: pickText(object, "kind"),
    namespace: pickText(object, "metadata", "namespace"),
    name: pickText(object, "metadata", "name"),
    labels: texts(pick(object, "metadata", "labels")),
    images: containers.map((container) => pickText(container, "image")),
    words: containers.flatMap((container) => [
      ...pickList(container, "command").map(String),
      ...pickList(container, "args").map(String),
      ...pickList(container, "env").map((entry) => `${pickText(entry, "name")}=${pickText(entry, "value")}`),
    ]),
  };
}

const isLoadBalancer = (service: unknown): boolean => pickText(service, "spec", "type") === "LoadBalancer";

/** What a Service holds. */
export const heldBy = (service: unknown): Held => ({
  service: `${pickText(service, "metadata", "namespace")}/${pickText(service, "metadata", "name")}`,
  loadBalancerClass: pickText(service, "spec", "loadBalancerClass"),
  addresses: pickList(service, "status", "loadBalancer", "ingress").map(
    (entry) => pickText(entry, "ip") || pickText(entry, "hostname"),
  ),
  annotations: texts(pick(service, "metadata", "annotations")),
});
