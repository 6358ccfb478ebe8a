/** Which nodes may announce the addresses of a Service, and why the others may not (MetalLB's rules, told apart). */
import { keys } from "../keys.ts";
import { matchesAny, matchesSelector } from "../labels.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Advertisement } from "./advertisement.ts";
import type { AnnouncedPool, AnnouncedService, NodeReason, NotAnnounced, PlanInput, PlanNode } from "./plan-types.ts";

/** A node that may announce; `interfaces` sorted, absent for every usable one; a higher score is preferred. */
export type Candidate = {
  readonly interfaces: readonly string[] | undefined;
  readonly score: number;
  readonly ready: boolean;
};

/** The nodes that may announce, by name; or why none may. */
export type Verdict = Result<ReadonlyMap<string, Candidate>, Pick<NotAnnounced, "reason" | "nodes">>;

/** The advertisements of the pool that take in the Service; a pool is named without its namespace, as MetalLB does. */
export const matchingAdvertisements = (
  service: AnnouncedService,
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

/** The nodes that may announce the Service's addresses under these advertisements. */
export function judgeNodes(
  service: AnnouncedService,
  advertisements: readonly Advertisement[],
  { nodes, ignoreExcludeLabel }: Pick<PlanInput, "nodes" | "ignoreExcludeLabel">,
): Verdict {
  const { endpoints } = service;
  if (endpoints.nodes.length === 0 && !endpoints.anywhere) return err({ reason: "noEndpoints", nodes: [] });
  if (advertisements.length === 0) return err({ reason: "noMatchingAdvertisement", nodes: [] });
  const candidates = new Map<string, Candidate>();
  const refused: { readonly node: string; readonly reason: NodeReason }[] = [];
  for (const node of nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const onNode = advertisements.filter(
      ({ nodeSelectors }) => nodeSelectors.length === 0 || matchesAny(nodeSelectors, node.labels),
    );
    const reason = whyNotNode(node, service, onNode, ignoreExcludeLabel ?? false);
    if (reason === undefined) candidates.set(node.name, toCandidate(node, onNode, advertisements));
    else refused.push({ node: node.name, reason });
  }
  return candidates.size > 0 ? ok(candidates) : err({ reason: "noEligibleNode", nodes: refused });
}

function whyNotNode(
  node: PlanNode,
  service: AnnouncedService,
  onNode: readonly Advertisement[],
  ignoreExcludeLabel: boolean,
): NodeReason | undefined {
  const { endpoints, externalTrafficPolicy } = service;
  if (node.networkUnavailable) return "networkUnavailable";
  if (!ignoreExcludeLabel && Object.hasOwn(node.labels, keys.excludeNode)) return "excludedByLabel";
  if (onNode.length === 0) return "notSelected";
  const hasEndpoint = endpoints.anywhere || endpoints.nodes.includes(node.name);
  return externalTrafficPolicy === "Local" && !hasEndpoint ? "noLocalEndpoint" : undefined;
}

/** Interfaces are those of the advertisements that chose the node; preferences count from all that match the Service. */
function toCandidate(node: PlanNode, onNode: readonly Advertisement[], matching: readonly Advertisement[]): Candidate {
  const anyInterface = onNode.some(({ interfaces }) => interfaces.length === 0);
  const named = [...new Set(onNode.flatMap(({ interfaces }) => interfaces))].toSorted();
  const score = matching
    .flatMap(({ preferences }) => preferences)
    .filter(({ selector }) => matchesSelector(selector, node.labels))
    .reduce((sum, { weight }) => sum + weight, 0);
  return { interfaces: anyInterface ? undefined : named, score, ready: node.ready };
}
