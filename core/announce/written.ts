/** What the Leases say before a planner begins: who was first for each address, and which rebalancing was followed. */
import type { NodePlan, Vip } from "./plan-types.ts";
import type { Seat } from "./seat.ts";

type Mention = { readonly node: string; readonly vip: Vip; readonly rebalanced: NodePlan["rebalanced"] };

/** The plans as they were found, by address. */
export class WrittenPlans {
  readonly #mentions = new Map<string, Mention[]>();

  /** Takes in what one node's Leases say. */
  add(node: string, { vips, rebalanced }: NodePlan): void {
    for (const vip of vips) {
      const mentions = this.#mentions.get(vip.ip) ?? [];
      mentions.push({ node, vip, rebalanced });
      this.#mentions.set(vip.ip, mentions);
    }
  }

  /**
   * What is to be remembered of an address. Where the operator ended between two writes the Leases disagree: then the one
   * that has followed the pool's rebalancing counts, of those the first candidate's own.
   */
  seatOf(ip: string, pool: string, rebalance: string | undefined): Seat | undefined {
    const mentions = (this.#mentions.get(ip) ?? []).toSorted((a, b) => (a.node < b.node ? -1 : 1));
    const followed = mentions.filter((mention) => mention.rebalanced[pool] === rebalance);
    const counting = followed.length > 0 ? followed : mentions;
    const chosen = counting.find(({ node, vip }) => vip.nodes[0] === node) ?? counting[0];
    const first = chosen?.vip.nodes[0];
    if (chosen === undefined || first === undefined) return undefined;
    return { first, rebalanced: chosen.rebalanced[pool], isMoving: chosen.vip.moving === true };
  }

  /** Forgets all: from now on the planner knows better. */
  clear(): void {
    this.#mentions.clear();
  }
}
