/** What the Leases say before a planner begins: who was first for each address, and which rebalancing was followed. */
import type { Plan } from "./plan-text.ts";
import type { Vip } from "./plan-types.ts";
import type { Seat } from "./seat.ts";

type Mention = Pick<Plan, "generation" | "rebalanced"> & { readonly node: string; readonly vip: Vip };

/** The plans as they were found, by address. */
export class WrittenPlans {
  /** By address, then by node. */
  readonly #mentions = new Map<string, Map<string, Mention>>();

  /** Takes in what one Lease of a node says; of an address that several name, what was written last counts. */
  add(node: string, { generation, vips, rebalanced }: Plan): void {
    for (const vip of vips) {
      const mentions = this.#mentions.get(vip.ip) ?? new Map<string, Mention>();
      this.#mentions.set(vip.ip, mentions);
      const known = mentions.get(node);
      if (known === undefined || known.generation < generation)
        mentions.set(node, { generation, node, vip, rebalanced });
    }
  }

  /**
   * What is to be remembered of an address. Where the operator ended between two writes the Leases disagree: then the one
   * that has followed the pool's rebalancing counts, of those the first candidate's own.
   */
  seatOf(ip: string, pool: string, rebalance: string | undefined): Seat | undefined {
    const mentions = [...(this.#mentions.get(ip)?.values() ?? [])].toSorted((a, b) => (a.node < b.node ? -1 : 1));
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
