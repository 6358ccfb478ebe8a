/** Which pool an address is in, found in the time of a search however many pools there are. */
import { compareAddresses, type Address } from "../address/address.ts";
import { rangeContains, type Range } from "../address/range.ts";

type Entry = { readonly range: Range; readonly pool: string };

type Ranged = { readonly key: string; readonly ranges: readonly Range[] };

/** Ranges of pools that do not overlap, and of pools that may: these count where none of the others has an address. */
export class PoolIndex {
  readonly #entries: readonly Entry[];
  readonly #others: readonly Entry[];

  constructor(pools: readonly Ranged[], others: readonly Ranged[] = []) {
    this.#entries = entriesOf(pools).toSorted((a, b) => compareAddresses(a.range.first, b.range.first));
    this.#others = entriesOf(others);
  }

  /** The key of the pool that has the address. */
  find(address: Address): string | undefined {
    return this.#search(address) ?? this.#others.find(({ range }) => rangeContains(range, address))?.pool;
  }

  #search(address: Address): string | undefined {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && compareAddresses(entry.range.first, address) <= 0) low = middle + 1;
      else high = middle;
    }
    const entry = this.#entries[low - 1];
    const isInside = entry !== undefined && compareAddresses(address, entry.range.last) <= 0;
    return isInside && entry.range.first.family === address.family ? entry.pool : undefined;
  }

  /** Whether the two have the same ranges of the same pools. */
  equals(other: PoolIndex): boolean {
    return sameEntries(this.#entries, other.#entries) && sameEntries(this.#others, other.#others);
  }
}

const entriesOf = (pools: readonly Ranged[]): readonly Entry[] =>
  pools.flatMap(({ key, ranges }) => ranges.map((range) => ({ range, pool: key })));

const sameEntries = (left: readonly Entry[], right: readonly Entry[]): boolean =>
  left.length === right.length && left.every((entry, index) => sameEntry(entry, right[index]));

function sameEntry(a: Entry, b: Entry | undefined): boolean {
  if (b === undefined || a.pool !== b.pool) return false;
  const isSameStart = compareAddresses(a.range.first, b.range.first) === 0;
  return isSameStart && compareAddresses(a.range.last, b.range.last) === 0;
}
