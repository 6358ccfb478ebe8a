import { expect, test } from "vitest";
import type { Facts, Workload } from "../../../hack/src/install/cluster-facts.ts";
import { findingsIn, inUse, tooOld } from "../../../hack/src/install/findings.ts";

const workload = (part: Partial<Workload>): Workload => ({
  kind: "DaemonSet",
  namespace: "kube-system",
  name: "one",
  labels: {},
  images: [],
  words: [],
  ...part,
});
const facts = (part: Partial<Facts>): Facts => ({
  workloads: [],
  held: [],
  kubeProxy: "",
  cilium: {},
  ciliumPools: 0,
  webhooks: ["pepr-berth"],
  ...part,
});

test.each(["v1.33.0", "v1.36.3", "v1.33.4+k3s1", "v2.0.0", "1.40"])("Kubernetes %s will do", (version) => {
  expect(tooOld(version)).toBeUndefined();
});

test.each(["v1.32.9", "v1.28.3-gke.1", "v0.9.0", "", "none"])("Kubernetes %s is too old, in a sentence", (version) => {
  expect(tooOld(version)).toContain("upgrade it to 1.33 or newer");
});

const metallb = workload({ namespace: "metallb-system", name: "speaker", images: ["quay.io/metallb/speaker:v0.15.2"] });
test.each([
  { name: "MetalLB", workload: metallb, cure: "docs/migrate-from-metallb.md" },
  {
    name: "MetalLB",
    workload: workload({ images: ["docker.io/bitnami/metallb-speaker:0.15"] }),
    cure: "docs/migrate-from-metallb.md",
  },
  {
    name: "MetalLB",
    workload: workload({ labels: { app: "metallb", component: "speaker" }, images: ["registry.lan/l2:1"] }),
    cure: "docs/migrate-from-metallb.md",
  },
  {
    name: "MetalLB",
    workload: workload({ labels: { "app.kubernetes.io/name": "metallb" }, images: ["registry.lan/l2:1"] }),
    cure: "docs/migrate-from-metallb.md",
  },
  {
    name: "kube-vip",
    workload: workload({ kind: "Pod", images: ["ghcr.io/kube-vip/kube-vip:v1.0.0"], words: ["svc_enable=true"] }),
    cure: "svc_enable=false",
  },
  {
    name: "k3s ServiceLB",
    workload: workload({ labels: { "svccontroller.k3s.cattle.io/svcname": "traefik" } }),
    cure: "--disable=servicelb",
  },
  {
    name: "PureLB",
    workload: workload({ namespace: "purelb", images: ["registry.gitlab.com/purelb/purelb/lbnodeagent:v0.13"] }),
    cure: "kubectl delete namespace purelb",
  },
])("$name is found at work, with what to do", ({ name, workload: one, cure }) => {
  const [finding = "", ...more] = findingsIn(facts({ workloads: [one] }));
  expect(finding).toContain(`${name} is at work (${one.kind} ${one.namespace}/${one.name})`);
  expect(finding).toContain(cure);
  expect(more).toEqual([]);
});

test.each([
  {
    why: "kube-vip for the control plane alone",
    part: { workloads: [workload({ images: ["kube-vip:v1"], words: ["cp_enable=true", "svc_enable=false"] })] },
  },
  { why: "Cilium without pools", part: { workloads: [workload({ name: "cilium" })] } },
  {
    why: "Berth's own announcer",
    part: { workloads: [workload({ labels: { app: "metallb" }, images: ["berth.dev/announcer:0.1.0"] })] },
  },
  {
    why: "IPVS with strictARP by flags",
    part: { workloads: [workload({ words: ["--proxy-mode=ipvs", "--ipvs-strict-arp=true"] })] },
  },
  { why: "IPVS with strictARP", part: { kubeProxy: 'ipvs:\n  strictARP: true\nmode: "ipvs"\n' } },
  { why: "iptables without strictARP", part: { kubeProxy: "ipvs:\n  strictARP: false\nmode: iptables\n" } },
])("nothing is in the way of $why", ({ part }) => {
  expect(findingsIn(facts(part))).toEqual([]);
});

test("Cilium is in the way by its pools, and by its announcements", () => {
  const workloads = [workload({ name: "cilium", images: ["quay.io/cilium/cilium:v1.18"] })];
  expect(findingsIn(facts({ workloads, ciliumPools: 2 }))).toEqual([
    expect.stringContaining("CiliumLoadBalancerIPPools"),
  ]);
  expect(findingsIn(facts({ workloads, cilium: { "enable-l2-announcements": "true" } }))).toEqual([
    expect.stringContaining("enable-l2-announcements"),
  ]);
});

test.each(["mode: ipvs\nipvs:\n  strictARP: false\n", 'ipvs: {}\nmode: "ipvs"\n'])(
  "kube-proxy in IPVS mode without strictARP is in the way: %j",
  (kubeProxy) => {
    expect(findingsIn(facts({ kubeProxy }))).toEqual([expect.stringContaining("strictARP: true")]);
  },
);

test("what is held is said with at most three Services by name", () => {
  const held = (name: string, ...addresses: string[]): Facts["held"][number] => ({
    service: `default/${name}`,
    loadBalancerClass: "",
    addresses,
    annotations: {},
  });
  expect(inUse([held("pending")])).toBe("");
  expect(inUse(["a", "b", "c", "d", "e"].map((name, index) => held(name, `10.0.0.${String(index)}`)))).toBe(
    "10.0.0.0 of default/a, 10.0.0.1 of default/b, 10.0.0.2 of default/c and 2 more",
  );
});

test("kube-proxy in IPVS mode by its flags is in the way", () => {
  const proxy = workload({ name: "kube-proxy", words: ["kube-proxy", "--proxy-mode=ipvs"] });
  expect(findingsIn(facts({ workloads: [proxy] }))).toEqual([
    expect.stringContaining("add --ipvs-strict-arp to DaemonSet kube-system/kube-proxy"),
  ]);
});

test("MetalLB's webhook is in the way where its controller has gone, and nothing beside it where that is at work", () => {
  const webhooks = ["metallb-webhook-configuration"];
  expect(findingsIn(facts({ webhooks }))).toEqual([
    expect.stringContaining("kubectl delete validatingwebhookconfiguration metallb-webhook-configuration"),
  ]);
  const controller = workload({ kind: "Deployment", images: ["quay.io/metallb/controller:v0.16.1"] });
  expect(findingsIn(facts({ webhooks, workloads: [controller] }))).toEqual([
    expect.stringContaining("MetalLB is at work"),
  ]);
});
