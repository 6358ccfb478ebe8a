/** Files of a node: pure text. Paths named "inside" are those that the node's own mount namespace shows. */
import { join } from "node:path";
import { certificatePath, keyPath } from "./certificates.ts";
import { logPath, nodePath, type Paths } from "./paths.ts";
import type { LabPlan, NodePlan } from "./plan.ts";

/** Image of the container that holds a pod's namespaces. */
export const PAUSE_IMAGE = "berth.dev/lab-pause:1";

export type Snapshotter = "overlayfs" | "native";

/** What the machine offers to every node. */
export type Machine = {
  readonly kubelet: string;
  readonly kubeProxy: string;
  readonly cniFolder: string;
  readonly snapshotter: Snapshotter;
};

export type NodeFile = { readonly path: string; readonly text: string };

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Folders of the host that a node sees its own of, and where in the node's folder those are. */
const OWN_FOLDERS = [
  { inside: "/run", own: "run" },
  { inside: "/var/lib", own: "lib" },
  { inside: "/var/log", own: "log" },
] as const;

/** Folders of a node's own that must be there before it starts. */
export function nodeFolders(paths: Paths, node: NodePlan): readonly string[] {
  const base = nodePath(paths, node.name);
  return [...OWN_FOLDERS.map(({ own }) => join(base, own)), join(base, "cni"), join(base, "kernel")];
}

/**
 * Kernel settings of the whole machine that kubelet wants and would write. A node is shown a file that already holds
 * what kubelet wants, so that the machine's own setting stays as it is.
 */
const KERNEL_SETTINGS = [
  { path: "vm/overcommit_memory", value: 1 },
  { path: "vm/panic_on_oom", value: 0 },
  { path: "kernel/panic", value: 10 },
  { path: "kernel/panic_on_oops", value: 1 },
  { path: "kernel/keys/root_maxkeys", value: 1_000_000 },
  { path: "kernel/keys/root_maxbytes", value: 25_000_000 },
] as const;

const kernelFile = (base: string, path: string): string => join(base, "kernel", path.replaceAll("/", "-"));

/** containerd's configuration. */
export function containerdConfig(paths: Paths, node: NodePlan, machine: Machine): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return [
    "version = 2",
    'root = "/var/lib/containerd"',
    'state = "/run/containerd"',
    "[grpc]",
    '  address = "/run/containerd/containerd.sock"',
    `[${cri}]`,
    `  sandbox_image = "${PAUSE_IMAGE}"`,
    "  disable_apparmor = true", // its profile would be the whole machine's
    "  restrict_oom_score_adj = true", // where the machine itself may not lower it
    "  disable_hugetlb_controller = true",
    "  tolerate_missing_hugetlb_controller = true",
    `[${cri}.containerd]`,
    `  snapshotter = "${machine.snapshotter}"`,
    '  default_runtime_name = "runc"',
    `[${cri}.containerd.runtimes.runc]`,
    '  runtime_type = "io.containerd.runc.v2"',
    `[${cri}.containerd.runtimes.runc.options]`,
    "  SystemdCgroup = false",
    `[${cri}.cni]`,
    `  bin_dir = "${machine.cniFolder}"`,
    `  conf_dir = "${join(nodePath(paths, node.name), "cni")}"`,
    "",
  ].join("\n");
}

/** The pod network: one routed pair of interfaces for each pod, so nothing depends on filtering bridges. */
export function cniConfig(node: NodePlan): string {
  const isV6 = (cidr: string): boolean => cidr.includes(":");
  return json({
    cniVersion: "0.4.0",
    name: "berth-lab",
    plugins: [
      {
        type: "ptp",
        ipMasq: false,
        ipam: {
          type: "host-local",
          ranges: node.podCidrs.map((subnet) => [{ subnet }]),
          routes: node.podCidrs.map((cidr) => ({ dst: isV6(cidr) ? "::/0" : "0.0.0.0/0" })),
        },
      },
    ],
  });
}

/** kubelet's configuration. */
export function kubeletConfig(paths: Paths, node: NodePlan): string {
  return json({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificatePath(paths, "ca") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: certificatePath(paths, `${node.name}-server`),
    tlsPrivateKeyFile: keyPath(paths, `${node.name}-server`),
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${paths.cgroup}/${node.name}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    localStorageCapacityIsolation: false,
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    resolvConf: join(nodePath(paths, node.name), "resolv.conf"),
    serializeImagePulls: false,
    imageGCHighThresholdPercent: 100,
    // Tests end programs oftener than they crash; by itself kubelet would wait longer each time, up to five minutes.
    crashLoopBackOff: { maxContainerRestartPeriod: "1s" },
    evictionHard: { "memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%" },
  });
}

/** kube-proxy's configuration: nftables, and no kernel settings of the whole machine. */
export function proxyConfig(plan: LabPlan, node: NodePlan, kubeconfig: string): string {
  return json({
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    hostnameOverride: node.name,
    clientConnection: { kubeconfig },
    detectLocalMode: "ClusterCIDR",
    clusterCIDR: plan.clusterCidrs.join(","),
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    nftables: { minSyncPeriod: "100ms" },
  });
}

/**
 * First process of a node, in fresh mount and process namespaces. It starts containerd at once and the rest when told
 * so by a line on its standard input; without that line it ends, so a crash before then leaves nothing. What ends
 * is started again after a second.
 */
export function initScript(paths: Paths, node: NodePlan, machine: Machine): string {
  const base = nodePath(paths, node.name);
  const log = (part: string): string => `'${logPath(paths, `${node.name}-${part}`)}'`;
  return [
    "set -e",
    "mount --make-rshared /",
    ...KERNEL_SETTINGS.map(({ path }) => {
      const file = kernelFile(base, path);
      return `[ ! -e /proc/sys/${path} ] || mount --bind '${file}' /proc/sys/${path}`;
    }),
    ...OWN_FOLDERS.map(({ inside, own }) => `mount --bind '${join(base, own)}' ${inside}`),
    `hostname ${node.name}`,
    "mkdir -p /run/tmp && export TMPDIR=/run/tmp",
    "set +e",
    'keep() { log=$1; shift; while :; do "$@" >>"$log" 2>&1; sleep 1; done; }',
    `keep ${log("containerd")} containerd --config '${join(base, "containerd.toml")}' &`,
    "read -r _ || exit 1",
    `keep ${log("kubelet")} '${machine.kubelet}' --config='${join(base, "kubelet.json")}' \\`,
    `  --kubeconfig='${join(base, "kubelet.kubeconfig")}' --hostname-override=${node.name} \\`,
    `  --node-ip=${node.mgmt.join(",")} &`,
    `keep ${log("kube-proxy")} '${machine.kubeProxy}' --config='${join(base, "kube-proxy.json")}' &`,
    "wait",
    "",
  ].join("\n");
}

/** Every file of a node but the kubeconfigs. */
export function nodeFiles(paths: Paths, plan: LabPlan, node: NodePlan, machine: Machine): readonly NodeFile[] {
  const base = nodePath(paths, node.name);
  return [
    { path: join(base, "containerd.toml"), text: containerdConfig(paths, node, machine) },
    { path: join(base, "cni/10-berth-lab.conflist"), text: cniConfig(node) },
    { path: join(base, "kubelet.json"), text: kubeletConfig(paths, node) },
    { path: join(base, "kube-proxy.json"), text: proxyConfig(plan, node, join(base, "kube-proxy.kubeconfig")) },
    { path: join(base, "init.sh"), text: initScript(paths, node, machine) },
    // no name server is there: a pod that asks is refused at once instead of waiting
    { path: join(base, "resolv.conf"), text: "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n" },
    ...KERNEL_SETTINGS.map(({ path, value }) => ({ path: kernelFile(base, path), text: `${String(value)}\n` })),
  ];
}
