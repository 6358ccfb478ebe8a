/** What can be done to a running lab: load images, break things, mend them. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { run } from "../shell.ts";
import { apiReader } from "./api.ts";
import { findExecutable, installedFolders } from "../executables.ts";
import { kubernetesBinaries } from "./binaries.ts";
import { makePartsCgroup, pidsInNamed } from "./cgroups.ts";
import { API_SERVER, apiAnswers, CONTROLLERS, startApiServer, startControllers } from "./control.ts";
import { chooseSnapshotter, importImage } from "./images.ts";
import { cutPort, healPorts } from "./network.ts";
import { containerdSocket, netnsPath, type Paths } from "./paths.ts";
import { namespaces, planLab, type Bridge } from "./plan.ts";
import { endPart, isAlive, signalPid } from "./processes.ts";
import { readRecord, withPart, withoutPart, writeRecord, type LabRecord } from "./record.ts";
import { relayToHost } from "./relays.ts";

/** The record of a lab that is up, or an error that says how to get one. */
export function requireLab(paths: Paths): LabRecord {
  const record = readRecord(paths);
  if (record === undefined) throw new Error(`lab "${paths.name}" is not up; run hack/lab up`);
  return record;
}

function requireNode(paths: Paths, node: string): void {
  const { nodes } = planLab(requireLab(paths).shape.nodes, false);
  const names = nodes.map(({ name }) => name);
  if (names.includes(node)) return;
  throw new Error(`lab "${paths.name}" has no node "${node}"; it has ${names.join(", ")}`);
}

/** Becomes a command in a namespace's network; returns only by throwing. */
export function execIn(paths: Paths, namespace: string, command: readonly string[]): never {
  const names = namespaces(planLab(requireLab(paths).shape.nodes, false));
  if (!names.includes(namespace)) {
    throw new Error(`lab "${paths.name}" has no namespace "${namespace}"; it has ${names.join(", ")}`);
  }
  const containerd = namespace.startsWith("node-") ? { CONTAINERD_ADDRESS: containerdSocket(paths, namespace) } : {};
  const args = ["nsenter", `--net=${netnsPath(paths, namespace)}`, "--", ...command];
  const nsenter = findExecutable("nsenter", installedFolders());
  if (nsenter === undefined) throw new Error("no nsenter; run hack/setup");
  if (process.execve === undefined) throw new Error("this Node has no process.execve; run hack/setup");
  return process.execve(nsenter, args, { ...process.env, ...containerd });
}

/** Imports image archives into every node at once. */
export async function load(paths: Paths, archives: readonly string[]): Promise<void> {
  const { nodes } = planLab(requireLab(paths).shape.nodes, false);
  const files = archives.map((archive) => resolve(archive));
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) throw new Error(`image archive "${missing}" is not there; make it with buildah push`);
  const snapshotter = await chooseSnapshotter(paths.state);
  await Promise.all(
    nodes.map(async ({ name }) => {
      for (const file of files) await importImage(paths, name, snapshotter, file);
    }),
  );
}

/** Takes a node off one network. */
export async function cut(paths: Paths, node: string, bridge: Bridge, silent: boolean): Promise<void> {
  requireNode(paths, node);
  await cutPort(paths, node, bridge, silent);
}

/** Puts a node back on both networks. */
export async function heal(paths: Paths, node: string): Promise<void> {
  requireNode(paths, node);
  await healPorts(paths, node);
}

/** Sends a signal to every process of a node's containers of that name; says to how many. */
export async function signalContainer(
  paths: Paths,
  node: string,
  container: string,
  signal: NodeJS.Signals,
): Promise<number> {
  requireNode(paths, node);
  const filter = `labels."io.kubernetes.container.name"==${container}`;
  const listed = await run("ctr", [
    ...["--address", containerdSocket(paths, node), "--namespace", "k8s.io"],
    ...["containers", "list", "--quiet", filter],
  ]);
  const pids = listed
    .split("\n")
    .filter(Boolean)
    .flatMap((id) => pidsInNamed(paths, id));
  const reached = pids.filter((pid) => signalPid(pid, signal));
  if (reached.length === 0) throw new Error(`no container "${container}" runs on ${node}; see kubectl get pods`);
  return reached.length;
}

/**
 * Kills the API server, and with it the controller manager and the scheduler, as where they are elected and lose their place;
 * etcd and everything else stays.
 */
export async function stopApi(paths: Paths): Promise<void> {
  const record = requireLab(paths);
  const ending = record.parts.filter(({ name }) => [API_SERVER, ...CONTROLLERS].includes(name));
  await Promise.all(ending.map(endPart));
  writeRecord(
    paths,
    ending.reduce((left, { name }) => withoutPart(left, name), record),
  );
}

/**
 * Starts the API server again and waits until it answers, then the controllers; what runs stays. Controllers that had gone on
 * would take up their watches with a back-off of up to a minute: until then the Leases that they know are older than the grace
 * of a node, so that they would have every node NotReady and no Service with endpoints.
 */
export async function startApi(paths: Paths): Promise<void> {
  const record = requireLab(paths);
  const binaries = await kubernetesBinaries(paths.cache);
  const cgroup = makePartsCgroup(paths);
  const running = new Map(record.parts.filter(isAlive).map((part) => [part.name, part]));
  const server = running.get(API_SERVER) ?? startApiServer(paths, cgroup, binaries[API_SERVER], record.shape);
  const served = withPart(record, server);
  writeRecord(paths, served);
  await apiAnswers(paths, apiReader(paths, record.apiPort), server);
  const missing = CONTROLLERS.filter((name) => !running.has(name));
  writeRecord(paths, startControllers(paths, cgroup, binaries, missing).reduce(withPart, served));
}

/** Lets the API server reach a port of the host's loopback; says at which address. */
export async function expose(paths: Paths, port: number): Promise<string> {
  const record = requireLab(paths);
  const { apiAddress } = planLab(record.shape.nodes, record.shape.ipv6);
  const name = `expose-${String(port)}`;
  const running = record.parts.find((part) => part.name === name);
  if (running === undefined || !isAlive(running)) {
    const ends = { name, listenHost: apiAddress, listenPort: port, targetHost: "127.0.0.1", targetPort: port };
    const relay = await relayToHost(paths, makePartsCgroup(paths), ends);
    writeRecord(paths, withPart(record, relay.part));
  }
  return `${apiAddress}:${String(port)}`;
}
