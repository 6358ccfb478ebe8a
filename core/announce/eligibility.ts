/** Which nodes may announce what advertisements take in, and why the others may not (MetalLB's rules, told apart). */
import { keys } from "../keys.ts";
import { matchesAny, matchesSelector } from "../labels.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Advertisement } from "./advertisement.ts";
import type { AnnouncedPool, AnnouncedService, NodeReason, NodeRefusal, PlanNode } from "./plan-types.ts";

/** A node that may announce; `interfaces` sorted, absent for every usable one; a higher score is preferred. */
export type Candidate = {
  readonly interfaces: readonly string[] | undefined;
  readonly score: number;
  readonly ready: boolean;
};

/** All nodes, judged: the tiers hold the candidates' names, ready ones first, then the preferred ones. */
export type Judgement = {
  readonly candidates: ReadonlyMap<string, Candidate>;
  readonly tiers: readonly (readonly string[])[];
  readonly refused: readonly NodeRefusal[];
};

/** The advertisements of the pool that take in the Service; a pool is named without its namespace, as MetalLB does. */
export const matchingAdvertisements = (
  service: Pick<AnnouncedService, "labels">,
  pool: AnnouncedPool,
  advertisements: readonly Advertisement[],
): readonly Advertisement[] =>
  advertisements.filter(
    (advertisement) =>
      choosesPool(advertisement, pool) &&
      (advertisement.serviceSelectors.length === 0 || matchesAny(advertisement.serviceSelectors, service.labels)),
  );

function choosesPool({ poolNames, poolSelectors }: Advertisement, pool: AnnouncedPool): boolean {
  if (poolNames.length + poolSelectors.length === 0) return true;
  return poolNames.includes(pool.name) || matchesAny(poolSelectors, pool.labels);
}

/**
 * The nodes that may announce for all of several Services, each given by the advertisements that take it in. A node must
 * be selected for each Service, and on an interface that each may use: who shares an address agrees, or it is not announced.
 */
export function judgeNodes(
  wishes: readonly (readonly Advertisement[])[],
  nodes: readonly PlanNode[],
  ignoreExcludeLabel: boolean,
): Judgement {
  const candidates = new Map<string, Candidate>();
  const refused: NodeRefusal[] = [];
  const all = [...new Set(wishes.flat())];
  for (const node of nodes) {
    const interfaces = whereOnNode(node, wishes, ignoreExcludeLabel);
    if (!interfaces.ok) refused.push({ node: node.name, reason: interfaces.error });
    else candidates.set(node.name, { interfaces: interfaces.value, score: scoreOf(node, all), ready: node.ready });
  }
  return { candidates, tiers: tiersOf(candidates), refused };
}

type Interfaces = readonly string[] | undefined;

function whereOnNode(
  node: PlanNode,
  wishes: readonly (readonly Advertisement[])[],
  ignoreExcludeLabel: boolean,
): Result<Interfaces, NodeReason> {
  if (node.networkUnavailable) return err("networkUnavailable");
  if (!ignoreExcludeLabel && Object.hasOwn(node.labels, keys.excludeNode)) return err("excludedByLabel");
  const selecting = wishes.map((advertisements) =>
    advertisements.filter(({ nodeSelectors }) => nodeSelectors.length === 0 || matchesAny(nodeSelectors, node.labels)),
  );
  if (selecting.every(({ length }) => length === 0)) return err("notSelected");
  if (selecting.some(({ length }) => length === 0)) return err("sharersDisagree");
  const common = selecting.map(interfacesOf).reduce(intersect);
  return common?.length === 0 ? err("sharersDisagree") : ok(common);
}

/** The interfaces that any of the advertisements names; all where one names none. */
function interfacesOf(advertisements: readonly Advertisement[]): Interfaces {
  if (advertisements.some(({ interfaces }) => interfaces.length === 0)) return undefined;
  return [...new Set(advertisements.flatMap(({ interfaces }) => interfaces))].toSorted();
}

function intersect(a: Interfaces, b: Interfaces): Interfaces {
  if (a === undefined) return b;
  return b === undefined ? a : a.filter((name) => b.includes(name));
}

/** Preferences count from all advertisements that match, also from those that do not select the node. */
const scoreOf = (node: PlanNode, advertisements: readonly Advertisement[]): number =>
  advertisements
    .flatMap(({ preferences }) => preferences)
    .filter(({ selector }) => matchesSelector(selector, node.labels))
    .reduce((sum, { weight }) => sum + weight, 0);

function tiersOf(candidates: ReadonlyMap<string, Candidate>): readonly (readonly string[])[] {
  const tiers = Map.groupBy(candidates, ([, { ready, score }]) => `${ready ? "ready" : "not"} ${String(score)}`);
  return [...tiers.values()]
    .toSorted(([a], [b]) => (a === undefined || b === undefined ? 0 : compareTiers(a[1], b[1])))
    .map((tier) => tier.map(([name]) => name));
}

const compareTiers = (a: Candidate, b: Candidate): number => Number(b.ready) - Number(a.ready) || b.score - a.score;
