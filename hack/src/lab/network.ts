/** Makes and removes the lab's network namespaces. Touches no interface, rule or setting outside them. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { attempt, run } from "../shell.ts";
import { hostScript, nodeScript, settingsScript, switchPort, switchScript } from "./network-script.ts";
import { netnsPath, type Paths } from "./paths.ts";
import { namespaces, type LabPlan, type Port } from "./plan.ts";

async function makeNamespace(paths: Paths, name: string): Promise<void> {
  const file = netnsPath(paths, name);
  writeFileSync(file, "");
  await run("unshare", [`--net=${file}`, "sh", "-e"], { input: settingsScript(name.startsWith("node-")) });
}

/** Command line that runs a command inside a namespace of the lab. */
export function inNamespace(paths: Paths, name: string, command: readonly string[]): readonly string[] {
  return ["nsenter", `--net=${netnsPath(paths, name)}`, ...command];
}

/** Runs a shell script inside a namespace of the lab. */
async function runInNamespace(paths: Paths, name: string, input: string): Promise<void> {
  await run("nsenter", [`--net=${netnsPath(paths, name)}`, "sh", "-e"], { input });
}

/** Builds all namespaces, bridges, addresses and routes of a plan. */
export async function makeNetwork(paths: Paths, plan: LabPlan): Promise<void> {
  mkdirSync(paths.netns, { recursive: true });
  await Promise.all(namespaces(plan).map((name) => makeNamespace(paths, name)));
  await runInNamespace(
    paths,
    "switch",
    switchScript(plan, (name) => netnsPath(paths, name)),
  );
  await Promise.all([
    ...plan.hosts.map((host) => runInNamespace(paths, host.name, hostScript(plan, host))),
    ...plan.nodes.map((node) => runInNamespace(paths, node.name, nodeScript(plan, node))),
  ]);
}

/** Mount points below a folder, deepest first, in the text of /proc/self/mountinfo (proc(5)). */
export function mountsBelow(mountinfo: string, folder: string): readonly string[] {
  return mountinfo
    .split("\n")
    .map((line) => (line.split(" ")[4] ?? "").replaceAll("\\040", " "))
    .filter((mount) => mount.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
}

/** Unmounts whatever of the lab is mounted on the host: its namespace files, and leftovers of a crash. */
export async function unmountAll(paths: Paths): Promise<void> {
  const mounts = mountsBelow(readFileSync("/proc/self/mountinfo", "utf8"), paths.state);
  for (const mount of mounts) await attempt("umount", ["--lazy", mount]);
}

/** Removes the lab's folder; nothing may still be mounted in it. */
export function removeState(paths: Paths): void {
  rmSync(paths.state, { recursive: true, force: true });
}

/** Takes a node off a bridge: its carrier goes, or with `silent` its frames vanish while the carrier stays. */
export async function cutPort(paths: Paths, node: string, bridge: Port["bridge"], silent: boolean): Promise<void> {
  const port = switchPort(bridge, node);
  // state 0 is BR_STATE_DISABLED: the bridge drops what the port sends and sends it nothing
  await runInNamespace(paths, "switch", silent ? `bridge link set dev ${port} state 0` : `ip link set ${port} down`);
}

/** How often a port that comes up is asked to forward, 10 ms apart: until its carrier is known, the bridge refuses. */
const PORT_TRIES = 300;

/** Puts a node back on both bridges. */
export async function healPorts(paths: Paths, node: string): Promise<void> {
  const lines = ["lan", "mgmt"].map((bridge) => {
    const port = `${bridge}-${node}`;
    return `ip link set ${port} up
n=0
until bridge link set dev ${port} state 3; do n=$((n + 1)); [ "$n" -lt ${String(PORT_TRIES)} ]; sleep 0.01; done`;
  });
  await runInNamespace(paths, "switch", lines.join("\n"));
}
