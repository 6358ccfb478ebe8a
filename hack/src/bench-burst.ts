/**
 * Many Services at once: how far the status lags behind the create's answer, who writes how often, and how much memory the
 * operator's processes take. Services ask for no node ports, since there are only 2,768 of them.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { AuditTail, countWrites } from "./bench/audit.ts";
import { cpuMillis, memoryOf, operatorProcesses, profileOf, type Memory, type Process } from "./bench/operator.ts";
import { pausingProxies } from "./bench/proxies.ts";
import { quantile, reporting, type Report } from "./bench/report.ts";
import { clear, ELSEWHERE, loadBalancer, NAMESPACE, NODES, onStage, type Stage } from "./bench/stage.ts";
import { Watching } from "./bench/watching.ts";
import { labPaths } from "./lab/paths.ts";

const USAGE = `usage: hack/bench burst [--services N,N…] [--fill N] [--clients N] [--profile FOLDER]
For each N (1000,5000) creates N Services by 8 clients, once without Berth and once with it, then takes the operator's memory; at the end once more with N
Services (--fill, 20000, or none where --services is given; 0 for not), made while kube-proxy is held, which takes many
minutes. BERTH_LAB names the lab; it is brought up for the bench unless BERTH_LAB_READY is set. With --profile, CPU profiles of the operator's processes over the first seconds of each burst
are written to FOLDER.
`;

type Made = { readonly name: string; readonly began: number; readonly answered: number };

/** Services as Berth serves them. */
const served = (name: string): Service => loadBalancer(NAMESPACE, name, { allocateLoadBalancerNodePorts: false });

/** The same Services, which Berth has nothing to do with. */
const foreign = (name: string): Service => {
  const { namespace, loadBalancerClass } = ELSEWHERE;
  return loadBalancer(namespace, name, { allocateLoadBalancerNodePorts: false, loadBalancerClass });
};

type Making = { readonly from: number; readonly to: number; readonly clients: number };

/** Services from number `from` on, by so many clients at once. */
async function make({ api }: Stage, { from, to, clients }: Making, shape = served): Promise<readonly Made[]> {
  const made: Made[] = [];
  const cursor = { next: from };
  const client = async (): Promise<void> => {
    while (cursor.next < to) {
      const name = `burst-${String(cursor.next++)}`;
      const began = performance.now();
      await api.create(kinds.services, shape(name));
      made.push({ name, began, answered: performance.now() });
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return made;
}

/** Pause after the last status in which Events and plans that are still on their way are counted too, in milliseconds. */
const SETTLE_MILLIS = 3_000;

/** How much of a burst is profiled, in seconds. */
const PROFILE_SECONDS = 10;

async function profile(processes: readonly Process[], services: number, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const write = async (one: Process): Promise<void> => {
    const file = join(folder, `${one.name}-${String(services)}.cpuprofile`);
    writeFileSync(file, await profileOf(one, PROFILE_SECONDS));
  };
  await Promise.all(processes.map(write));
}

/** What the same burst takes where Berth has no part in it, and nobody writes a status. */
async function bare(stage: Stage, services: number, { clients }: Sizes): Promise<void> {
  const report = reporting("burst", { clients, nodes: NODES, services });
  const began = performance.now();
  const made = await make(stage, { from: 0, to: services, clients }, foreign);
  const creates = made.map((one) => one.answered - one.began);
  const name = `${String(services)} services without Berth`;
  report(name, { "last answer": performance.now() - began }, "ms");
  report(name, { "create p50": quantile(creates, 0.5), "create p99": quantile(creates, 0.99) }, "ms");
  await clear(stage);
}

async function burst(stage: Stage, services: number, { clients, profiles }: Sizes): Promise<void> {
  const report = reporting("burst", { clients, nodes: NODES, services });
  const name = `${String(services)} services`;
  const processes = await operatorProcesses(stage.target);
  const tail = new AuditTail(join(labPaths(stage.target.name, process.env).logs, "audit.log"));
  const watching = await Watching.of(stage.api, NAMESPACE);
  const cpuBefore = processes.map(cpuMillis);
  const profiling = profiles === undefined ? undefined : profile(processes, services, profiles);
  const began = performance.now();
  const made = await make(stage, { from: 0, to: services, clients });
  const answered = performance.now() - began;
  const seen = await Promise.all(made.map((one) => watching.assigned(one.name)));
  const lags = made.map((one, index) => Math.max(0, (seen[index] ?? 0) - one.answered));
  const creates = made.map((one) => one.answered - one.began);
  report(name, { "last answer": answered, "last status": Math.max(...seen) - began }, "ms");
  report(
    name,
    { "median lag": quantile(lags, 0.5), "p99 lag": quantile(lags, 0.99), "largest lag": Math.max(...lags) },
    "ms",
  );
  report(name, { "create p50": quantile(creates, 0.5), "create p99": quantile(creates, 0.99) }, "ms");
  watching.stop();
  await Promise.all([sleep(SETTLE_MILLIS), profiling]);
  for (const [index, one] of processes.entries()) {
    const [before, after] = [cpuBefore[index] ?? 0, cpuMillis(one)];
    if (after === undefined) report(`${name}, ${one.name}`, { restarts: 1 }, "restarts");
    else report(`${name}, ${one.name}`, { "processor time": after - before }, "ms");
  }
  reportWrites(report, name, tail);
}

/** A line for each writer and kind of write. */
function reportWrites(report: Report, name: string, tail: AuditTail): void {
  for (const { writer, what, count, refused } of countWrites(tail.finish())) {
    report(
      `${name}, ${writer}: ${what}`,
      { count, ...(refused === 0 ? {} : { "of these refused": refused }) },
      "writes",
    );
  }
}

/** The memory of each process, by its name. */
async function memory(stage: Stage, services: number): Promise<ReadonlyMap<string, Memory>> {
  const report = reporting("burst", { nodes: NODES, services });
  const memories = new Map<string, Memory>();
  for (const one of await operatorProcesses(stage.target)) {
    const taken = await memoryOf(one);
    memories.set(one.name, taken);
    report(`memory at ${String(services)} services, ${one.name}`, taken, "MiB");
  }
  return memories;
}

type Sizes = {
  readonly bursts: readonly number[];
  readonly fill: number;
  readonly clients: number;
  /** Folder for CPU profiles; none are taken without it. */
  readonly profiles: string | undefined;
};

async function measure(stage: Stage, sizes: Sizes): Promise<void> {
  const { bursts, fill, clients } = sizes;
  await make(stage, { from: 0, to: 50, clients }); // connections are opened, code is compiled
  await clear(stage);
  const empty = await memory(stage, 0);
  for (const services of bursts) {
    await bare(stage, services, sizes);
    await burst(stage, services, sizes);
    await memory(stage, services);
    if (services !== bursts.at(-1)) await clear(stage); // what is there at the end goes with the lab
  }
  const there = bursts.at(-1) ?? 0;
  if (fill <= there) return;
  await pausingProxies(stage.target, async () => {
    const watching = await Watching.of(stage.api, NAMESPACE);
    const made = await make(stage, { from: there, to: fill, clients });
    await Promise.all(made.map(({ name }) => watching.assigned(name)));
    watching.stop();
    reportGrowth(empty, await memory(stage, fill), fill);
  });
}

function reportGrowth(empty: ReadonlyMap<string, Memory>, full: ReadonlyMap<string, Memory>, services: number): void {
  const report = reporting("burst", { nodes: NODES, services });
  for (const [name, { resident, heap }] of full) {
    const before = empty.get(name);
    if (before === undefined) continue;
    const perService = (mebibytes: number): number => (mebibytes * 1024) / services;
    const growth = { resident: perService(resident - before.resident), heap: perService(heap - before.heap) };
    report(`growth per service up to ${String(services)}, ${name}`, growth, "KiB");
  }
}

const { values } = parseArgs({
  options: {
    services: { type: "string" },
    fill: { type: "string" },
    clients: { type: "string", default: "8" },
    profile: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(USAGE);
else {
  const sizes = {
    bursts: (values.services ?? "1000,5000").split(",").map(Number),
    fill: Number(values.fill ?? (values.services === undefined ? "20000" : "0")),
    clients: Number(values.clients),
    profiles: values.profile,
  };
  await onStage((stage) => measure(stage, sizes));
}
