/**
 * How long a create takes with and without Berth, and until the address stands in the status: Services one by one through
 * a kept-alive connection. "Without" are Services of the same shape between them, in kube-system, where Pepr's webhook never
 * looks, and of a class that is somebody else's, so that nothing of Berth is asked or writes. With --metallb the same is
 * measured after it on a lab that has MetalLB in Berth's place: only figures of one machine and hour can be compared.
 */
import { parseArgs } from "node:util";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { reporting, spread } from "./bench/report.ts";
import {
  clear,
  ELSEWHERE,
  loadBalancer,
  NAMESPACE,
  NODES,
  onMetallbStage,
  onStage,
  type Stage,
} from "./bench/stage.ts";
import { Watching } from "./bench/watching.ts";

const USAGE = `usage: hack/bench assign [--services N] [--metallb]
Creates N Services (500) one by one on a lab with Berth, and N without. BERTH_LAB names the lab; it is brought up for the
bench unless BERTH_LAB_READY is set. With --metallb, then the same on a lab with MetalLB, and how the two compare.
`;

/** Services made before the first that counts: connections are opened and code is compiled. */
const WARM_UP = 50;

type Samples = {
  readonly without: number[];
  readonly with: number[];
  /** From the beginning of the create. */
  readonly seen: number[];
};

/** Creates it; when that began and how long the answer took, in milliseconds. */
async function create({ api }: Stage, service: Service): Promise<{ began: number; took: number; service: Service }> {
  const began = performance.now();
  const created = await api.create(kinds.services, service);
  return { began, took: performance.now() - began, service: created };
}

type Server = "Berth" | "MetalLB";

async function sample(
  stage: Stage,
  watching: Watching,
  name: string,
  server: Server,
): Promise<readonly [number, number, number]> {
  const { namespace, loadBalancerClass } = ELSEWHERE;
  const foreign = await create(stage, loadBalancer(namespace, name, { loadBalancerClass }));
  await stage.api.remove(kinds.services, { namespace, name }, {});
  const { began, took, service } = await create(stage, loadBalancer(NAMESPACE, name));
  if (server === "Berth" && service.metadata?.annotations?.[keys.addresses] === undefined) {
    throw new Error(`Service "${name}" came back without an address; see the admission pods' logs in pepr-system`);
  }
  return [foreign.took, took, (await watching.assigned(name)) - began];
}

async function measure(stage: Stage, services: number, server: Server): Promise<Samples> {
  const watching = await Watching.of(stage.api, NAMESPACE);
  const samples: Samples = { without: [], with: [], seen: [] };
  for (let index = 0; index < WARM_UP + services; index += 1) {
    const [without, withBerth, seen] = await sample(stage, watching, `assign-${String(index)}`, server);
    if (index < WARM_UP) continue;
    samples.without.push(without);
    samples.with.push(withBerth);
    samples.seen.push(seen);
  }
  watching.stop();
  const report = reporting("assign", { samples: services, nodes: NODES });
  const lab = server === "Berth" ? "" : `, ${server} in Berth's place`;
  report(`create without ${server}`, spread(samples.without), "ms");
  report(`create with ${server}`, spread(samples.with), "ms");
  report(`status seen, from the create's start${lab}`, spread(samples.seen), "ms");
  await clear(stage);
  return samples;
}

/** How long a person waits for the address: with Berth until the create is answered, with MetalLB until the status is seen. */
function compare(berth: Samples, metallb: Samples): void {
  const report = reporting("assign", { samples: berth.seen.length, nodes: NODES });
  const reference = spread(metallb.seen);
  const ratios = (samples: readonly number[]): Record<string, number> => {
    const { p50, p99 } = spread(samples);
    return { p50: p50 / reference.p50, p99: p99 / reference.p99 };
  };
  report("create with Berth / status seen with MetalLB", ratios(berth.with), "times");
  report("status seen with Berth / status seen with MetalLB", ratios(berth.seen), "times");
}

const { values } = parseArgs({
  options: {
    services: { type: "string", default: "500" },
    metallb: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

async function main(services: number): Promise<void> {
  const berth = await onStage((stage) => measure(stage, services, "Berth"));
  if (values.metallb) compare(berth, await onMetallbStage((stage) => measure(stage, services, "MetalLB")));
}

if (values.help) process.stdout.write(USAGE);
else await main(Number(values.services));
