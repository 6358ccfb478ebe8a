/** In which order the candidates of an address stand: whoever answers now stays first, unless it is to be moved back. */
import type { Judgement } from "./eligibility.ts";
import type { HashOrder } from "./rank.ts";
import type { Answer } from "./reports.ts";

/** How many candidates an address has at most: enough to outlive several nodes, few enough for a short Lease. */
const MAX_CANDIDATES = 5;

/** What is remembered of an address: who is first, the rebalancing that was followed, whether the first is yet to take over. */
export type Seat = { readonly first: string; readonly rebalanced: string | undefined; readonly isMoving: boolean };

/** What the order of the candidates follows from. */
export type SeatInput = {
  readonly seat: Seat | undefined;
  readonly answers: ReadonlyMap<string, Answer>;
  /** The value that the pool's rebalancing has now. */
  readonly rebalance: string | undefined;
  /** The address whose hash orders the nodes. */
  readonly lead: string;
  readonly hashes: HashOrder;
};

/** The candidates in order, and what is to be remembered; undefined where there is none. */
export type Seated = { readonly nodes: readonly string[]; readonly seat: Seat };

/**
 * The order: nodes that are ready before those that are not, since a dead one would keep its addresses; among them first
 * the node that answers now, then by preference, then in MetalLB's order. The result as `seat` gives the result again.
 */
export function seatNodes(judgement: Pick<Judgement, "candidates" | "tiers">, input: SeatInput): Seated | undefined {
  const { seat, answers, rebalance } = input;
  const preferred = inPreferredOrder(judgement.tiers, input);
  const [best] = preferred;
  if (best === undefined) return undefined;
  const mayStay = whoMayStay(judgement, best);
  const incumbent = incumbentOf(mayStay, input);
  const isRebalanced = seat !== undefined && rebalance !== undefined && seat.rebalanced !== rebalance;
  const first = isRebalanced ? best : (incumbent ?? best);
  const isSentOff = isRebalanced && incumbent !== undefined && incumbent !== first;
  const wasMoving = isSentOff || isStillMoving(seat, first);
  const isMoving = wasMoving && !hasTakenOver(first, answers, mayStay);
  const nodes = [first, ...preferred.filter((node) => node !== first)].slice(0, MAX_CANDIDATES);
  return { nodes, seat: { first, rebalanced: rebalance, isMoving } };
}

const isStillMoving = (seat: Seat | undefined, first: string): boolean =>
  seat?.isMoving === true && seat.first === first;

function inPreferredOrder(tiers: Judgement["tiers"], { lead, hashes }: SeatInput): readonly string[] {
  const nodes: string[] = [];
  for (const tier of tiers) {
    if (nodes.length >= MAX_CANDIDATES) break;
    nodes.push(...hashes.first(lead, tier, MAX_CANDIDATES - nodes.length));
  }
  return nodes;
}

type Check = (node: string) => boolean;

/** Whether a node is as good a candidate as the best, as far as readiness goes. */
const whoMayStay =
  ({ candidates }: Pick<Judgement, "candidates">, best: string): Check =>
  (node) => {
    const candidate = candidates.get(node);
    return candidate !== undefined && candidate.ready === candidates.get(best)?.ready;
  };

/** The node that has the address now, if it may stay. */
function incumbentOf(mayStay: Check, { seat, answers }: SeatInput): string | undefined {
  const seated = seat !== undefined && mayStay(seat.first) ? seat.first : undefined;
  return seat?.isMoving === true && seated !== undefined
    ? seated
    : (newestAnswer(answers, mayStay, seat?.first) ?? seated);
}

/** Whether a node began to answer after all others that may stay: an old report may have been left behind by it. */
function hasTakenOver(first: string, answers: SeatInput["answers"], mayStay: Check): boolean {
  const began = answers.get(first)?.round;
  if (began === undefined) return false;
  return [...answers].every(([node, { round }]) => node === first || !mayStay(node) || round < began);
}

/** Of several that answer the one that began last, since a dead node's report stays behind; then the one that is first. */
function newestAnswer(
  answers: ReadonlyMap<string, Answer>,
  mayStay: Check,
  first: string | undefined,
): string | undefined {
  let newest: string | undefined;
  for (const [node, { round }] of answers) {
    if (!mayStay(node)) continue;
    const other = newest === undefined ? undefined : answers.get(newest);
    const ahead =
      other === undefined || newest === undefined ? 1 : round - other.round || precedence(node, newest, first);
    if (ahead > 0) newest = node;
  }
  return newest;
}

function precedence(node: string, other: string, first: string | undefined): number {
  if (first === node || first === other) return first === node ? 1 : -1;
  return node < other ? 1 : -1;
}
