/** Who may announce each address, and in which order. */
import type { Address } from "../address/address.ts";
import { compareAddresses, printAddress } from "../address/address.ts";
import type { Verdict } from "./eligibility.ts";
import { judgeNodes, matchingAdvertisements } from "./eligibility.ts";
import type {
  Announced,
  AnnouncedPool,
  AnnouncedService,
  AnnouncementPlan,
  NotAnnounced,
  PlanInput,
  Vip,
} from "./plan-types.ts";
import { rankNodes } from "./rank.ts";

/** How many candidates an address has at most: enough to outlive several nodes, few enough for a short Lease. */
const MAX_CANDIDATES = 5;

/**
 * The plan of every node. The candidates of an address: nodes that are ready before those that are not, since a dead one
 * would keep its addresses; among them first the node that answers now, then by preference, then in MetalLB's order by
 * the Service's first address, so that all addresses of a Service tend to one node. The order of the input's lists changes nothing.
 */
export function planAnnouncements(input: PlanInput): AnnouncementPlan {
  const pools = new Map(input.pools.map((pool) => [pool.key, pool]));
  const perNode = new Map(input.nodes.map(({ name }): [string, Vip[]] => [name, []]).toSorted(byName));
  const announced: Announced[] = [];
  const notAnnounced: NotAnnounced[] = [];
  for (const { service, address, verdict } of judgeAddresses(input, pools)) {
    const vip = { service: { namespace: service.namespace, name: service.name }, ip: printAddress(address) };
    if (!verdict.ok) {
      notAnnounced.push({ ...vip, pool: service.pool, ...verdict.error });
      continue;
    }
    const nodes = orderCandidates(vip.ip, service, verdict.value, input.answering);
    announced.push({ ...vip, nodes });
    for (const node of nodes) perNode.get(node)?.push(toVip(vip.ip, nodes, verdict.value.get(node)?.interfaces));
  }
  return { perNode, announced, notAnnounced };
}

type Candidates = Extract<Verdict, { ok: true }>["value"];
type Judged = { readonly service: AnnouncedService; readonly address: Address; readonly verdict: Verdict };

/** Every address once, in order, with the nodes that may announce it; of two Services, the first by name speaks. */
function judgeAddresses(input: PlanInput, pools: ReadonlyMap<string, AnnouncedPool>): readonly Judged[] {
  const judged = new Map<string, Judged>();
  for (const service of input.services.toSorted(byServiceName)) {
    const pool = pools.get(service.pool) ?? missingPool(service.pool);
    const verdict = judgeNodes(service, matchingAdvertisements(service, pool, input.advertisements), input);
    for (const address of service.addresses) {
      const ip = printAddress(address);
      if (!judged.has(ip)) judged.set(ip, { service, address, verdict });
    }
  }
  return [...judged.values()].toSorted((a, b) => compareAddresses(a.address, b.address));
}

/** A pool that is gone or inert still announces what it gave, by name or by advertisements of everything. */
const missingPool = (key: string): AnnouncedPool => ({ key, name: key.slice(key.indexOf("/") + 1), labels: {} });

function orderCandidates(
  ip: string,
  service: AnnouncedService,
  candidates: Candidates,
  answering: PlanInput["answering"],
): readonly string[] {
  const [first] = service.addresses;
  const hashed = rankNodes(first === undefined ? ip : printAddress(first), [...candidates.keys()]);
  const score = (node: string): number => candidates.get(node)?.score ?? 0;
  const readiness = (node: string): number => (candidates.get(node)?.ready === true ? 1 : 0);
  const incumbency = (node: string): number => (answering?.get(ip) === node ? 1 : 0);
  const ranked = hashed.toSorted(
    (a, b) => readiness(b) - readiness(a) || incumbency(b) - incumbency(a) || score(b) - score(a),
  );
  return ranked.slice(0, MAX_CANDIDATES);
}

const toVip = (ip: string, nodes: readonly string[], interfaces: readonly string[] | undefined): Vip =>
  interfaces === undefined ? { ip, nodes } : { ip, nodes, interfaces };

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => compareTexts(a, b);

const byServiceName = (a: AnnouncedService, b: AnnouncedService): number =>
  compareTexts(a.namespace, b.namespace) || compareTexts(a.name, b.name);

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
