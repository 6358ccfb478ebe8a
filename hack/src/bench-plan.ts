/** How long planning takes, and how much is written: 10,000 addresses on 100 nodes, all at once and one change after the other. */
import { performance } from "node:perf_hooks";
import { parseAddress } from "../../core/address/address.ts";
import type { Advertisement } from "../../core/announce/advertisement.ts";
import { parseAdvertisement } from "../../core/announce/advertisement.ts";
import type { AnnouncedService, PlanNode } from "../../core/announce/plan-types.ts";
import { printPlan } from "../../core/announce/plan-text.ts";
import { Planner } from "../../core/announce/planner.ts";

const ADDRESSES = 10_000;
const NODES = 100;
const FULL_RUNS = 10;
const CHANGES = 200;
const pool = { key: "network/lan", name: "lan", labels: {} };

const node = (index: number): PlanNode => ({
  name: `node-${String(index).padStart(3, "0")}`,
  labels: { "kubernetes.io/hostname": `node-${String(index)}`, zone: String(index % 3) },
  ready: true,
  networkUnavailable: false,
});

function service(index: number, endpointNodes: readonly string[], externalTrafficPolicy = "Cluster"): AnnouncedService {
  const address = parseAddress(`10.0.${String(index >> 8)}.${String(index & 255)}`);
  if (!address.ok) throw new Error("the bench asks for nonsense");
  return {
    namespace: "default",
    name: `web-${String(index)}`,
    labels: { app: "web" },
    addresses: [address.value],
    pool: pool.key,
    externalTrafficPolicy,
    endpoints: { nodes: endpointNodes, anywhere: false },
  };
}

function everything(): Advertisement {
  const parsed = parseAdvertisement({ metadata: { namespace: "network", name: "l2" } });
  if (!parsed.ok) throw new Error(parsed.error.kind);
  return parsed.value;
}

const nodes = Array.from({ length: NODES }, (_, index) => node(index));
const keyOf = ({ namespace, name }: AnnouncedService): string => `${namespace}/${name}`;
const nodeName = (index: number): string => nodes[index % NODES]?.name ?? "";
const services = Array.from({ length: ADDRESSES }, (_, index) =>
  service(index, [nodeName(index), nodeName(index + 7)]),
);

function told(): Planner {
  const planner = new Planner();
  for (const one of nodes) planner.setNode(one.name, one);
  planner.setPools([pool]);
  planner.setAdvertisement("network/l2", everything());
  for (const one of services) planner.setService(keyOf(one), one);
  return planner;
}

/** `cpuMillis` is what this process used: on a busy machine the time that passed says little. */
type Run = { readonly millis: number; readonly cpuMillis: number; readonly leases: number; readonly bytes: number };

/** Plans, and prints the Leases that differ, as they are written. */
function run(planner: Planner, change: () => void): Run {
  const start = performance.now();
  const cpu = process.cpuUsage();
  change();
  const { nodes: touched } = planner.update();
  const plans = [...touched].flatMap((name) => planner.planOf(name) ?? []);
  const texts = plans.flatMap((plan) => printPlan(1, plan));
  const millis = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const cpuMillis = (user + system) / 1000;
  return {
    millis,
    cpuMillis,
    leases: texts.length,
    bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
  };
}

function report(name: string, runs: readonly Run[]): void {
  const at = (values: readonly number[], share: number): number =>
    values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
  const [elapsed, used] = [runs.map(({ millis }) => millis), runs.map(({ cpuMillis }) => cpuMillis)];
  const bytes = runs.map((one) => one.bytes);
  const leases = runs.map((one) => one.leases);
  const figures = [
    { stat: "p50", value: at(elapsed, 0.5), unit: "ms" },
    { stat: "p99", value: at(elapsed, 0.99), unit: "ms" },
    { stat: "CPU p50", value: at(used, 0.5), unit: "ms" },
    { stat: "CPU p99", value: at(used, 0.99), unit: "ms" },
    { stat: "written p50", value: at(bytes, 0.5), unit: "bytes" },
    { stat: "leases p50", value: at(leases, 0.5), unit: "leases" },
  ];
  const conditions = { samples: runs.length, node: process.version, date: new Date().toISOString().slice(0, 10) };
  for (const { stat, value, unit } of figures) {
    console.log(
      JSON.stringify({ bench: "plan", case: name, stat, value: Number(value.toFixed(2)), unit, ...conditions }),
    );
  }
}

const times = <T>(count: number, work: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => work(index));

const size = `${ADDRESSES.toLocaleString("en")} addresses, ${String(NODES)} nodes`;
report(
  `full plan from nothing: ${size}`,
  times(FULL_RUNS, () => run(told(), () => undefined)),
);

const planner = told();
planner.update();
report(
  `one EndpointSlice changed, traffic policy Cluster: ${size}`,
  times(CHANGES, (index) =>
    run(planner, () => {
      const one = service(index, [nodeName(index + 1)]);
      planner.setService(keyOf(one), one);
    }),
  ),
);
report(
  `one EndpointSlice changed, traffic policy Local: ${size}`,
  times(CHANGES, (index) =>
    run(planner, () => {
      const one = service(index % 100, [nodeName(index), nodeName(index + 3)], "Local");
      planner.setService(keyOf(one), one);
    }),
  ),
);
report(
  `one Service gone, and back: ${size}`,
  times(CHANGES, (index) =>
    run(planner, () => {
      const one = service(100 + (index >> 1), [nodeName(index)]);
      planner.setService(keyOf(one), index % 2 === 0 ? undefined : one);
    }),
  ),
);
report(
  `one node not ready: ${size}`,
  times(FULL_RUNS, (index) =>
    run(planner, () => {
      planner.setNode(nodeName(index), { ...node(index), ready: false });
    }),
  ),
);
report(
  `one node gone: ${size}`,
  times(FULL_RUNS, (index) =>
    run(planner, () => {
      planner.setNode(nodeName(NODES - 1 - index), undefined);
    }),
  ),
);
