import { expect, test } from "vitest";
import { certificates, opensslArguments } from "../../../hack/src/lab/certificates.ts";
import { apiserverFlags, embeddedKubeconfig, fileKubeconfig } from "../../../hack/src/lab/control-config.ts";
import {
  cniConfig,
  containerdConfig,
  initScript,
  kubeletConfig,
  nodeFiles,
  proxyConfig,
  type Machine,
} from "../../../hack/src/lab/node-config.ts";
import { labPaths } from "../../../hack/src/lab/paths.ts";
import { planLab } from "../../../hack/src/lab/plan.ts";

const paths = labPaths("two", { XDG_STATE_HOME: "/s" });
const plan = planLab(2, true);
const node = plan.nodes[0]!;
const machine: Machine = {
  kubelet: "/k/kubelet",
  kubeProxy: "/k/kube-proxy",
  cniFolder: "/cni",
  snapshotter: "native",
};
const certificate = (name: string) => certificates(plan).find((wanted) => wanted.name === name)!;

test("the API server's certificate names all addresses it is reached at", () => {
  const { subjectAltNames } = certificate("apiserver");
  const expected = ["IP:127.0.0.1", "IP:172.30.0.1", "IP:10.96.0.1", "IP:fd00:10:96::1", "DNS:kubernetes.default.svc"];
  expect(subjectAltNames).toEqual(expect.arrayContaining(expected));
});

test("a node is who the Node authorizer thinks it is", () => {
  expect(certificate("node-1")).toMatchObject({ commonName: "system:node:node-1", organization: "system:nodes" });
  expect(certificate("node-1-server").subjectAltNames).toEqual(["DNS:node-1", "IP:172.30.0.11", "IP:fd00:30::11"]);
});

test("openssl is told group, name, use and addresses", () => {
  const words = opensslArguments(certificate("node-1"), (file) => `/pki/${file}`);
  expect(words).toEqual(
    expect.arrayContaining(["/O=system:nodes/CN=system:node:node-1", "extendedKeyUsage=clientAuth"]),
  );
  expect(words.join(" ")).not.toContain("subjectAltName");
});

test("anonymous requests are refused and both authorizers are on", () => {
  expect(apiserverFlags(paths, plan, false)).toEqual(
    expect.arrayContaining(["--anonymous-auth=false", "--authorization-mode=Node,RBAC"]),
  );
});

test("the API server keeps an audit log only when asked", () => {
  const has = (audit: boolean) => apiserverFlags(paths, plan, audit).some((flag) => flag.startsWith("--audit"));
  expect([has(false), has(true)]).toEqual([false, true]);
});

test("a kubeconfig for people carries its certificates, others name files", () => {
  const part = (text: string) => Buffer.from(text);
  const embedded = { ca: part("ca"), certificate: part("me"), key: part("key") };
  const forPeople: unknown = JSON.parse(embeddedKubeconfig("https://127.0.0.1:1", "two", embedded));
  expect(forPeople).toMatchObject({
    "current-context": "two",
    clusters: [{ cluster: { server: "https://127.0.0.1:1", "certificate-authority-data": "Y2E=" } }],
    users: [{ user: { "client-certificate-data": "bWU=", "client-key-data": "a2V5" } }],
  });
  const forParts: unknown = JSON.parse(fileKubeconfig(paths, "https://172.30.0.1:6443", "scheduler"));
  expect(forParts).toMatchObject({ users: [{ user: { "client-key": "/s/berth/two/pki/scheduler.key" } }] });
});

test("containerd uses the lab's pause image, the machine's plugins and snapshotter", () => {
  const text = containerdConfig(paths, node, machine);
  expect(text).toContain('sandbox_image = "berth.dev/lab-pause:1"');
  expect(text).toContain('bin_dir = "/cni"');
  expect(text).toContain('snapshotter = "native"');
});

test("pods get one address of each of the node's networks", () => {
  expect(JSON.parse(cniConfig(node))).toMatchObject({
    plugins: [{ ipam: { ranges: [[{ subnet: "10.244.1.0/24" }], [{ subnet: "fd00:10:244:1::/64" }]] } }],
  });
});

test("kubelet keeps its pods in the lab's own cgroup", () => {
  expect(JSON.parse(kubeletConfig(paths, node))).toMatchObject({ cgroupRoot: "/berth-lab/two/node-1" });
});

test("kube-proxy programs nftables, knows the pod networks and leaves the machine's settings alone", () => {
  expect(JSON.parse(proxyConfig(plan, node, "/kubeconfig"))).toMatchObject({
    mode: "nftables",
    clusterCIDR: "10.244.0.0/16,fd00:10:244::/48",
    conntrack: { maxPerCore: 0, min: 0 },
  });
});

test("kubelet starts a container again within a second, however often it has ended", () => {
  expect(JSON.parse(kubeletConfig(paths, node))).toMatchObject({
    crashLoopBackOff: { maxContainerRestartPeriod: "1s" },
  });
});

test("a node starts kubelet only after it is told to, and ends when nobody can tell it any more", () => {
  const lines = initScript(paths, node, machine).split("\n");
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(at("read -r _ || exit 1")).toBeGreaterThan(at("keep '/s/berth/two/logs/node-1-containerd.log'"));
  expect(at("keep '/s/berth/two/logs/node-1-kubelet.log'")).toBeGreaterThan(at("read -r _ || exit 1"));
});

test("a node shows kubelet the kernel settings it wants instead of changing the machine's", () => {
  const shown = nodeFiles(paths, plan, node, machine).find(({ path }) => path.endsWith("/kernel/vm-overcommit_memory"));
  expect(shown?.text).toBe("1\n");
  expect(initScript(paths, node, machine)).toContain(
    "mount --bind '/s/berth/two/nodes/node-1/kernel/vm-overcommit_memory'",
  );
});
