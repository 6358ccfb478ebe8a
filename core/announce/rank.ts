/** MetalLB's order of nodes for an address. A hash of a node and an address is worked out once. */
import { hash } from "node:crypto";

/** Hexadecimal digits of a hash that a double holds exactly; almost always they decide. */
const LEADING_DIGITS = 13;

const digestOf = (node: string, address: string): string => hash("sha256", `${node}#${address}`);

type Ranked = { readonly node: string; readonly leading: number };

/** Nodes by ascending bytes of SHA-256(node + "#" + address), the address in canonical text. */
export class HashOrder {
  readonly #slots = new Map<string, number>();
  readonly #freeSlots: number[] = [];
  /** For each address the leading digits for each node's slot, NaN where they are not known yet. */
  readonly #rows = new Map<string, Float64Array>();

  /** The first ones of the nodes, as many as asked for. */
  first(address: string, nodes: readonly string[], count: number): readonly string[] {
    const best: Ranked[] = [];
    for (const node of nodes) {
      const ranked = { node, leading: this.#leadingOf(address, node) };
      const last = best.at(-1);
      if (best.length >= count && last !== undefined && !precedes(ranked, last, address)) continue;
      const place = best.findIndex((other) => precedes(ranked, other, address));
      best.splice(place < 0 ? best.length : place, 0, ranked);
      if (best.length > count) best.pop();
    }
    return best.map(({ node }) => node);
  }

  /** Frees what is remembered of an address. */
  forgetAddress(address: string): void {
    this.#rows.delete(address);
  }

  /** Frees what is remembered of a node. */
  forgetNode(node: string): void {
    const slot = this.#slots.get(node);
    if (slot === undefined) return;
    this.#slots.delete(node);
    this.#freeSlots.push(slot);
    for (const row of this.#rows.values()) if (slot < row.length) row[slot] = NaN;
  }

  #leadingOf(address: string, node: string): number {
    const slot = this.#slotOf(node);
    const row = this.#rowOf(address, slot);
    const known = row[slot] ?? NaN;
    if (!Number.isNaN(known)) return known;
    const leading = Number.parseInt(digestOf(node, address).slice(0, LEADING_DIGITS), 16);
    row[slot] = leading;
    return leading;
  }

  #slotOf(node: string): number {
    const known = this.#slots.get(node);
    if (known !== undefined) return known;
    const slot = this.#freeSlots.pop() ?? this.#slots.size;
    this.#slots.set(node, slot);
    return slot;
  }

  #rowOf(address: string, slot: number): Float64Array {
    const known = this.#rows.get(address);
    if (known !== undefined && slot < known.length) return known;
    const row = new Float64Array(Math.max(8, this.#slots.size, slot + 1)).fill(NaN);
    if (known !== undefined) row.set(known);
    this.#rows.set(address, row);
    return row;
  }
}

function precedes(a: Ranked, b: Ranked, address: string): boolean {
  if (a.leading !== b.leading) return a.leading < b.leading;
  return digestOf(a.node, address) < digestOf(b.node, address);
}
