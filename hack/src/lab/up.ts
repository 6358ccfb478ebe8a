/** Bringing a lab up. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { until } from "../shell.ts";
import { apiReader, readyNodes, type ApiReader } from "./api.ts";
import { findExecutable, installedFolders } from "../executables.ts";
import { kubernetesBinaries, type KubernetesBinaries } from "./binaries.ts";
import { certificatePath, keyPath, makeCertificates } from "./certificates.ts";
import { makePartsCgroup } from "./cgroups.ts";
import {
  AUDIT_POLICY,
  apiUrl,
  auditPolicyPath,
  controlKubeconfigPath,
  embeddedKubeconfig,
  fileKubeconfig,
} from "./control-config.ts";
import { apiAnswers, startApiServer, startControllers, startEtcd } from "./control.ts";
import { down } from "./down.ts";
import { Ledger } from "./ledger.ts";
import { chooseSnapshotter, importImage, labImages } from "./images.ts";
import { makeNetwork } from "./network.ts";
import type { Snapshotter } from "./node-config.ts";
import { containerdReady, startNode, writeNode, type StartedNode } from "./nodes.ts";
import { unusablePaths, type Paths } from "./paths.ts";
import { planLab, type LabPlan, type NodePlan } from "./plan.ts";
import { isAlive } from "./processes.ts";
import { readRecord, type Shape } from "./record.ts";
import { relayFromHost } from "./relays.ts";

export type Report = (line: string) => void;

/** Ports of the host that labs try first: those from here on, spread by the lab's name. */
const FIRST_API_PORT = 26_443;

const nameSpread = (name: string): number => Buffer.from(name).reduce((sum, byte) => (sum * 31 + byte) % 997, 0);

type Lab = {
  readonly paths: Paths;
  readonly plan: LabPlan;
  readonly shape: Shape;
  readonly cgroup: string;
  readonly ledger: Ledger;
  readonly binaries: KubernetesBinaries;
  readonly images: readonly string[];
  readonly snapshotter: Snapshotter;
};

/** Claims that this very lab runs already: same shape, every part alive, every node Ready. */
async function isUp(paths: Paths, shape: Shape): Promise<boolean> {
  const record = readRecord(paths);
  if (record?.ready !== true || JSON.stringify(record.shape) !== JSON.stringify(shape)) return false;
  if (!record.parts.every(isAlive)) return false;
  const nodes = readyNodes(await apiReader(paths, record.apiPort)("/api/v1/nodes"));
  return nodes.length === shape.nodes;
}

async function openApiPort(lab: Lab): Promise<number> {
  const ends = {
    name: "api-relay",
    listenHost: "127.0.0.1",
    targetHost: lab.plan.apiAddress,
    targetPort: 6443,
  };
  const wanted = FIRST_API_PORT + nameSpread(lab.paths.name);
  const open = (listenPort: number) => relayFromHost(lab.paths, lab.cgroup, { ...ends, listenPort });
  const { part, port } = await open(wanted).catch(() => open(0)); // taken: any free port does
  lab.ledger.setPort(port);
  lab.ledger.add(part);
  return port;
}

function writeControlFiles(lab: Lab): void {
  const { paths, plan } = lab;
  for (const identity of ["controller-manager", "scheduler"]) {
    const path = controlKubeconfigPath(paths, identity);
    writeFileSync(path, fileKubeconfig(paths, apiUrl(plan), identity));
  }
  writeFileSync(auditPolicyPath(paths), AUDIT_POLICY);
}

function writeUserKubeconfig(paths: Paths, port: number): void {
  const embedded = {
    ca: readFileSync(certificatePath(paths, "ca")),
    certificate: readFileSync(certificatePath(paths, "admin")),
    key: readFileSync(keyPath(paths, "admin")),
  };
  const text = embeddedKubeconfig(`https://127.0.0.1:${String(port)}`, `berth-lab-${paths.name}`, embedded);
  writeFileSync(paths.kubeconfig, text, { mode: 0o600 });
}

async function prepareNode(lab: Lab, node: NodePlan): Promise<StartedNode> {
  const { paths, plan, binaries, snapshotter } = lab;
  const machine = { kubelet: binaries.kubelet, kubeProxy: binaries["kube-proxy"], cniFolder: cniFolder(), snapshotter };
  writeNode(paths, plan, node, machine);
  const started = startNode(paths, lab.cgroup, node);
  lab.ledger.add(started.part);
  await containerdReady(paths, node, started.part);
  for (const archive of lab.images) await importImage(paths, node.name, snapshotter, archive);
  return started;
}

/** The folder of the CNI plugins: Debian's, or the one the plugins' own releases are put in. */
function cniFolder(): string {
  const folders = ["/usr/lib/cni", "/opt/cni/bin"];
  const plugin = findExecutable("ptp", folders);
  if (plugin === undefined) throw new Error(`no CNI plugins in ${folders.join(" or ")}; run hack/setup`);
  return plugin.slice(0, -"/ptp".length);
}

async function waitForNodes(api: ApiReader, lab: Lab): Promise<void> {
  await until(`${String(lab.shape.nodes)} Ready nodes; see ${lab.paths.logs}`, 90_000, 150, async () => {
    const ready = readyNodes(await api("/api/v1/nodes"));
    if (ready.length < lab.shape.nodes) return undefined;
    return api("/api/v1/namespaces/default/serviceaccounts/default");
  });
}

async function build(lab: Lab, report: Report): Promise<void> {
  const { paths, plan, ledger, cgroup } = lab;
  const certified = makeCertificates(paths, plan);
  await makeNetwork(paths, plan);
  ledger.add(startEtcd(paths, cgroup));
  await certified;
  writeControlFiles(lab);
  const apiServer = startApiServer(paths, cgroup, lab.binaries["kube-apiserver"], lab.shape);
  ledger.add(apiServer);
  const preparing = Promise.all(plan.nodes.map((node) => prepareNode(lab, node)));
  const port = await openApiPort(lab);
  writeUserKubeconfig(paths, port);
  const api = apiReader(paths, port);
  const [nodes] = await Promise.all([preparing, apiAnswers(paths, api, apiServer)]);
  report("the API server answers; the nodes join");
  for (const node of nodes) node.join();
  ledger.add(...startControllers(paths, cgroup, lab.binaries));
  await waitForNodes(api, lab);
  ledger.setReady();
}

/** Starts a lab of this shape: what is left of an earlier one goes first, a healthy one of the same shape stays. */
export async function up(paths: Paths, shape: Shape, report: Report): Promise<void> {
  const unusable = unusablePaths(paths);
  if (unusable !== undefined) throw new Error(unusable);
  if (process.getuid?.() !== 0) throw new Error("a lab makes network namespaces; run it as root");
  if (await isUp(paths, shape)) {
    report(`lab "${paths.name}" is up already`);
    return;
  }
  const started = performance.now();
  if (findExecutable("etcd", installedFolders()) === undefined) throw new Error("no etcd; run hack/setup");
  const [binaries, images] = await Promise.all([kubernetesBinaries(paths.cache), labImages(paths.cache), down(paths)]);
  for (const folder of [paths.state, paths.logs, paths.control]) {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  }
  const ledger = new Ledger(paths, shape);
  const plan = planLab(shape.nodes, shape.ipv6);
  const cgroup = makePartsCgroup(paths);
  const snapshotter = await chooseSnapshotter(paths.state);
  await build({ paths, plan, shape, cgroup, ledger, binaries, images, snapshotter }, report);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  report(`lab "${paths.name}" is up after ${seconds} s: ${String(shape.nodes)} Ready nodes`);
  report(`export KUBECONFIG=${paths.kubeconfig}`);
}
