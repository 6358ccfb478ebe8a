/** Whether a Service's addresses are announced, by whom and where; from the plan and from what the announcers report. */
import type { NotAnnounced, Placed, PlanNode, ServiceKey } from "./plan-types.ts";
import type { Answer } from "./reports.ts";

/** Who answers for an address, and on which interfaces. */
export type Answerer = { readonly ip: string; readonly node: string; readonly interfaces: readonly string[] };

/** A candidate that does not answer; `reason` is its announcer's own word, absent where it has said nothing. */
export type SilentCandidate = {
  readonly node: string;
  readonly isReady: boolean;
  readonly reason: string | undefined;
};

/** How a Service stands: all its addresses are answered for, or the first one that is not, with the reason. */
export type Announcement =
  | { readonly kind: "announced"; readonly service: ServiceKey; readonly addresses: readonly Answerer[] }
  | { readonly kind: "notAnnounced"; readonly problem: NotAnnounced }
  | {
      readonly kind: "waiting";
      readonly service: ServiceKey;
      readonly ip: string;
      readonly candidates: readonly SilentCandidate[];
    };

/** What is asked of the planner. */
export type Standing = {
  placed(service: string): readonly Placed[];
  answersFor(ip: string): ReadonlyMap<string, Answer>;
  silenceOf(ip: string, node: string): string | undefined;
  node(name: string): PlanNode | undefined;
};

/** Who answers for a Service's addresses; a node that is not ready is not believed, since a dead one leaves its report. */
export function answerersOf(service: string, standing: Standing): readonly Answerer[] {
  return standing.placed(service).flatMap((placed) => answererOf(placed, standing) ?? []);
}

function answererOf(placed: Placed, standing: Standing): Answerer | undefined {
  if (!placed.isAnnounced) return undefined;
  const answers = standing.answersFor(placed.ip);
  const node = placed.nodes.find((name) => answers.has(name) && standing.node(name)?.ready === true);
  if (node === undefined) return undefined;
  return { ip: placed.ip, node, interfaces: (answers.get(node)?.interfaces ?? []).toSorted() };
}

/** How the Service stands; undefined where it has no address. */
export function announcementOf(service: ServiceKey, standing: Standing): Announcement | undefined {
  const placed = standing.placed(`${service.namespace}/${service.name}`);
  if (placed.length === 0) return undefined;
  const addresses: Answerer[] = [];
  for (const one of placed) {
    if (!one.isAnnounced) return { kind: "notAnnounced", problem: one.problem };
    const answerer = answererOf(one, standing);
    if (answerer === undefined) return waitingFor(service, one, standing);
    addresses.push(answerer);
  }
  return { kind: "announced", service, addresses };
}

function waitingFor(
  service: ServiceKey,
  { ip, nodes }: Extract<Placed, { isAnnounced: true }>,
  standing: Standing,
): Announcement {
  const candidates = nodes.map((node) => ({
    node,
    isReady: standing.node(node)?.ready === true,
    reason: standing.silenceOf(ip, node),
  }));
  return { kind: "waiting", service, ip, candidates };
}
