/** The lab as the failover benches and tests use it: who answers on which node, and a Service whose endpoint no fault touches. */
import { readdirSync, readFileSync } from "node:fs";
import { inNamespace } from "../lab/network.ts";
import { CGROUP_PARENT, labPaths, type Paths } from "../lab/paths.ts";
import { planLab } from "../lab/plan.ts";
import { signalPid } from "../lab/processes.ts";
import { readRecord } from "../lab/record.ts";
import { attempt, until } from "../shell.ts";
import type { Target } from "../target.ts";
import { observe, serve, type Goal } from "./observer.ts";

const NAMESPACE = "failover";
const PORT = 18_080;
const HTTP = "http://127.0.0.1:17475";
/** Where an announcer tells what it counts, on its node. */
export const METRICS_URL = `${HTTP}/metrics`;

/** IP families that a client may ask in. */
export type Family = "ipv4" | "ipv6";

/** One address that only this bench gives out, by family. */
const ADDRESSES: Readonly<Record<Family, string>> = { ipv4: "192.168.1.250", ipv6: "fd00:1::250" };
/** The control plane on the management network, which no fault of a node touches. */
const ENDPOINTS: Readonly<Record<Family, string>> = { ipv4: "172.30.0.1", ipv6: "fd00:30::1" };

/** A place to break things. */
export type Ground = {
  readonly target: Target;
  readonly paths: Paths;
  readonly goal: Goal;
  readonly nodes: readonly string[];
  /** Aborted when whatever goes on is to end early. */
  readonly signal: AbortSignal;
};

/** The node whose interface on the LAN has this MAC address; empty where none does. */
export const nodeWith = (mac: string): string =>
  planLab(20, false).nodes.find(({ ports }) => ports.some((port) => port.mac === mac))?.name ?? "";

/** A Service that every node may announce, with its one endpoint outside of all nodes. */
function objects(family: Family): readonly object[] {
  const metadata = { namespace: NAMESPACE, name: NAMESPACE };
  const metallb = { apiVersion: "metallb.io/v1beta1", metadata };
  return [
    {
      ...metallb,
      kind: "IPAddressPool",
      spec: { addresses: [`${ADDRESSES[family]}-${ADDRESSES[family]}`], autoAssign: false },
    },
    { ...metallb, kind: "L2Advertisement", spec: { ipAddressPools: [NAMESPACE] } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...metadata, annotations: { "metallb.io/address-pool": NAMESPACE } },
      spec: { type: "LoadBalancer", ipFamilies: [family === "ipv4" ? "IPv4" : "IPv6"], ports: [{ port: PORT }] },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": NAMESPACE } },
      addressType: family === "ipv4" ? "IPv4" : "IPv6",
      endpoints: [{ addresses: [ENDPOINTS[family]], conditions: { ready: true } }],
      ports: [{ port: PORT }],
    },
  ];
}

type Wish = Pick<Ground, "target" | "signal"> & { readonly family: Family };

/** Runs work on a lab that is up and has Berth on it; takes away what it put there, and mends every node, however it ends. */
export async function onGround(wish: Wish, work: (ground: Ground) => Promise<void>): Promise<void> {
  const { ground, close } = await openGround(wish);
  try {
    await work(ground);
  } finally {
    await close();
  }
}

/** The same in two steps, for tests. */
export async function openGround({ target, family, signal }: Wish): Promise<{
  readonly ground: Ground;
  readonly close: () => Promise<void>;
}> {
  const paths = labPaths(target.name, process.env);
  const shape = readRecord(paths)?.shape;
  const nodes = planLab(shape?.nodes ?? 0, shape?.ipv6 ?? false).nodes.map(({ name }) => name);
  const ground = { target, paths, nodes, signal, goal: { address: ADDRESSES[family], port: PORT } };
  await target.tryKubectl(["create", "namespace", NAMESPACE]);
  const stopServing = await serve(paths, PORT);
  const close = async (): Promise<void> => {
    stopServing();
    await mendAll(ground);
    await target.tryKubectl(["delete", "namespace", NAMESPACE, "--timeout=60s"]);
  };
  try {
    for (const object of objects(family)) await target.kubectl(["apply", "-f", "-"], JSON.stringify(object));
    await readyEverywhere(ground);
    await answered(ground);
    return { ground, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Takes back every fault there may be. */
async function mendAll({ target, nodes, paths }: Ground): Promise<void> {
  for (const node of nodes) await target.lab("heal", node);
  for (const node of nodes) for (const pid of announcersOn(paths, node)) signalPid(pid, "SIGCONT");
  await target.lab("api", "start");
}

/** Waits until a client reaches the Service, through kube-proxy and all. */
async function answered({ paths, goal }: Ground): Promise<void> {
  const observer = observe(paths, goal);
  try {
    await until(`an answer for ${goal.address}`, 60_000, 50, () => (observer.answerer() === "" ? undefined : true));
  } finally {
    observer.stop();
  }
  const [program = "", ...args] = inNamespace(paths, "client", ["curl", "-s", "-m", "1", "-o", "/dev/null"]);
  const host = goal.address.includes(":") ? `[${goal.address}]` : goal.address;
  await until(`a connection to ${goal.address}`, 60_000, 100, async () => {
    const { code } = await attempt(program, [...args, `http://${host}:${String(goal.port)}/`]);
    return code === CURL_EMPTY_REPLY || code === CURL_RESET ? true : undefined;
  });
}

/** What curl says of a server that closes the connection at once. */
const CURL_EMPTY_REPLY = 52;
const CURL_RESET = 56;

/** Host pids of a node's announcer; one, but while one follows another. */
export function announcersOn(paths: Paths, node: string): readonly number[] {
  const isOurs = (pid: string): boolean => {
    try {
      const [comm, cgroup] = ["comm", "cgroup"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8"));
      return comm === "announcer\n" && (cgroup?.includes(`/${CGROUP_PARENT}/${paths.name}/${node}/`) ?? false);
    } catch {
      return false; // it has ended meanwhile
    }
  };
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && isOurs(entry))
    .map(Number);
}

/** Waits until the announcer of this node has a plan and its sockets, and hears as many fellows as there are. */
export async function readyOn({ paths, nodes }: Ground, node: string): Promise<void> {
  const [program = "", ...args] = inNamespace(paths, node, [
    "curl",
    "-sf",
    "-m",
    "1",
    "-o",
    "/dev/null",
    `${HTTP}/readyz`,
  ]);
  await until(`the announcer of ${node}, one of ${String(nodes.length)}, to be ready`, 60_000, 50, async () =>
    (await attempt(program, args)).code === 0 ? true : undefined,
  );
}

/** The same of every node. */
export const readyEverywhere = async (ground: Ground): Promise<void> => {
  await Promise.all(ground.nodes.map((node) => readyOn(ground, node)));
};
