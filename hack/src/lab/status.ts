/** A short table of what runs. */
import { apiReader, readyNodes } from "./api.ts";
import type { Paths } from "./paths.ts";
import { insideOf, isAlive } from "./processes.ts";
import { readRecord, type LabRecord, type Part } from "./record.ts";

export type Row = { readonly name: string; readonly pid: string; readonly state: string };

/** Lines of a table with aligned columns. */
export function renderRows(rows: readonly Row[]): readonly string[] {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, pid, state }) => `${name.padEnd(width)}  ${pid.padStart(7)}  ${state}`);
}

/** The programs of a node worth a line. */
const NODE_PROGRAMS = ["containerd", "kubelet", "kube-proxy"] as const;

/** Names of the Ready nodes, or undefined when the API server says nothing. */
type Ready = readonly string[] | undefined;

function nodeState(part: Part, ready: Ready): string {
  if (!isAlive(part)) return "gone";
  if (ready === undefined) return "running";
  return ready.includes(part.name) ? "Ready" : "not Ready";
}

function nodeRows(part: Part, ready: Ready): readonly Row[] {
  const inside = insideOf(part);
  const programs = NODE_PROGRAMS.map((program): Row => {
    const pid = inside.find(({ name }) => name === program)?.pid;
    return { name: `  ${program}`, pid: String(pid ?? "-"), state: pid === undefined ? "gone" : "running" };
  });
  const pid = isAlive(part) ? String(part.pid) : "-";
  return [{ name: part.name, pid, state: nodeState(part, ready) }, ...programs];
}

function partRows(part: Part, ready: Ready): readonly Row[] {
  if (part.name.startsWith("node-")) return nodeRows(part, ready);
  const alive = isAlive(part);
  return [{ name: part.name, pid: alive ? String(part.pid) : "-", state: alive ? "running" : "gone" }];
}

async function askNodes(paths: Paths, record: LabRecord): Promise<Ready> {
  try {
    const list = await apiReader(paths, record.apiPort)("/api/v1/nodes");
    return list === undefined ? undefined : readyNodes(list);
  } catch {
    return undefined; // no certificates yet, so no API server either
  }
}

/** What there is of a lab, as lines for people. */
export async function status(paths: Paths): Promise<readonly string[]> {
  const record = readRecord(paths);
  if (record === undefined) return [`lab "${paths.name}" is not up`];
  const ready = await askNodes(paths, record);
  const rows = record.parts.flatMap((part) => partRows(part, ready));
  const answer = ready === undefined ? "does not answer" : "answers";
  return [
    `lab "${paths.name}", ${String(record.shape.nodes)} nodes, ${record.shape.ipv6 ? "dual-stack" : "IPv4"}`,
    `API https://127.0.0.1:${String(record.apiPort)} ${answer}`,
    `KUBECONFIG ${paths.kubeconfig}`,
    ...(rows.length === 0 ? [] : renderRows(rows)),
  ];
}
