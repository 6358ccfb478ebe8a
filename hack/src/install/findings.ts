/** What stands in the way of Berth in a cluster. Pure. */
import type { Facts, Held, Workload } from "./cluster-facts.ts";

/** One sentence: who is in the way, what it holds, and what to do. */
export type Finding = string;

const LEAST_MINOR = 33;

/** Whatever would keep Berth from working, or answer for the same addresses. */
export function findingsIn(facts: Facts): readonly Finding[] {
  return [...neighbours(facts), ...leftBehind(facts), ...kubeProxy(facts)];
}

/** Why Berth can't run on a version of Kubernetes, such as v1.32.1; undefined where it can. */
export function tooOld(version: string): string | undefined {
  const [, major = "", minor = ""] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) > 1 || (major === "1" && Number(minor) >= LEAST_MINOR)) return undefined;
  return `the cluster runs Kubernetes ${version}, which has no IPAddress objects to record addresses in; upgrade it to 1.${String(LEAST_MINOR)} or newer`;
}

type Neighbour = {
  readonly name: string;
  readonly is: (workload: Workload, facts: Facts) => boolean;
  readonly cure: (workload: Workload) => string;
};

const runs =
  (pattern: RegExp) =>
  (workload: Workload): boolean =>
    workload.images.some((image) => pattern.test(image));

const runsMetallb = runs(/(^|\/)metallb\/(speaker|controller)\b|metallb-(speaker|controller)\b/);

/** By its images, or, where those come from elsewhere, by the labels of its manifests or its chart. */
function isMetallb(workload: Workload): boolean {
  const { app, component = "", "app.kubernetes.io/name": name } = workload.labels;
  const isLabelled = app === "metallb" && ["controller", "speaker"].includes(component);
  return runsMetallb(workload) || isLabelled || name === "metallb";
}

const NEIGHBOURS: readonly Neighbour[] = [
  {
    name: "MetalLB",
    is: isMetallb,
    cure: () =>
      "move over as docs/migrate-from-metallb.md says, whose order keeps the addresses and the clients; its deploy may be hack/bootstrap --anyway",
  },
  {
    name: "kube-vip",
    is: (workload) =>
      runs(/kube-vip/)(workload) && workload.words.some((word) => /^(svc_enable=true|--services)$/.test(word)),
    cure: () => "switch its service mode off (svc_enable=false); for the control plane it may stay",
  },
  {
    name: "k3s ServiceLB",
    is: ({ labels, name }) => "svccontroller.k3s.cattle.io/svcname" in labels || name.startsWith("svclb-"),
    cure: () => "start k3s with --disable=servicelb",
  },
  {
    name: "PureLB",
    is: runs(/purelb/),
    cure: (workload) => `take it away first ("kubectl delete namespace ${workload.namespace}" and its webhooks)`,
  },
  {
    name: "Cilium's LB IPAM",
    is: (workload, { ciliumPools }) => ciliumPools > 0 && workload.kind === "DaemonSet" && workload.name === "cilium",
    cure: () =>
      "delete its CiliumLoadBalancerIPPools, or give the Services that it is to serve a loadBalancerClass of its own",
  },
];

function neighbours(facts: Facts): readonly Finding[] {
  return NEIGHBOURS.flatMap(({ name, is, cure }) => {
    // A pod says no more than what it is made by.
    const order = ["Deployment", "DaemonSet", "Pod"];
    const workload = facts.workloads
      .filter((one) => is(one, facts))
      .toSorted((left, right) => order.indexOf(left.kind) - order.indexOf(right.kind))[0];
    if (workload === undefined) return [];
    const where = `${workload.kind} ${workload.namespace}/${workload.name}`;
    return stop(`${name} is at work (${where})${holds(facts.held)}; ${cure(workload)}`);
  });
}

/** MetalLB's webhook without its controller: it fails closed, so that no pool could be written. */
function leftBehind({ workloads, webhooks }: Facts): readonly Finding[] {
  const isServed = workloads.some(isMetallb);
  const [left] = webhooks.filter((name) => name.includes("metallb-webhook"));
  if (left === undefined || isServed) return [];
  return stop(
    `a webhook of MetalLB's is left over and refuses every change of pools (ValidatingWebhookConfiguration ${left}); run "kubectl delete validatingwebhookconfiguration ${left}"`,
  );
}

/** What is in use, in a few words; empty where nothing is. */
export function inUse(held: readonly Held[]): string {
  const holding = held.filter(({ addresses }) => addresses.length > 0);
  const named = holding.slice(0, 3).map(({ service, addresses }) => `${addresses.join(" and ")} of ${service}`);
  return `${named.join(", ")}${holding.length > named.length ? ` and ${String(holding.length - named.length)} more` : ""}`;
}

/** The same of a program that is at work. */
function holds(held: readonly Held[]): string {
  const used = inUse(held);
  return used === "" ? " and holds no addresses" : ` and holds ${used}`;
}

function kubeProxy({ kubeProxy: text, cilium, workloads }: Facts): readonly Finding[] {
  if (cilium["enable-l2-announcements"] === "true") {
    return stop(
      "Cilium announces Services on the LAN itself (enable-l2-announcements); set it to false, since two would answer for one address",
    );
  }
  const byFile = /^\s*mode:\s*"?ipvs"?\s*$/m.test(text) && !/^\s*strictARP:\s*true\s*$/m.test(text);
  const byFlags = workloads.find(({ words }) => words.includes("--proxy-mode=ipvs") && !words.some(isStrict));
  if (!byFile && byFlags === undefined) return [];
  const cure =
    byFlags === undefined
      ? 'set "strictARP: true" in ConfigMap kube-system/kube-proxy'
      : `add --ipvs-strict-arp to ${byFlags.kind} ${byFlags.namespace}/${byFlags.name}`;
  return stop(
    `kube-proxy is in IPVS mode without strictARP, so every node would answer for every address; ${cure} and restart kube-proxy`,
  );
}

const isStrict = (word: string): boolean => /^--ipvs-strict-arp(=true)?$/.test(word);

const stop = (text: string): readonly Finding[] => [text];
