/** Which pool an address is in, found in the time of a search however many pools there are. */
import { compareAddresses, type Address } from "../address/address.ts";
import type { Range } from "../address/range.ts";

type Entry = { readonly range: Range; readonly pool: string };

/** Ranges of pools that do not overlap. */
export class PoolIndex {
  readonly #entries: readonly Entry[];

  constructor(pools: readonly { readonly key: string; readonly ranges: readonly Range[] }[]) {
    this.#entries = pools
      .flatMap(({ key, ranges }) => ranges.map((range) => ({ range, pool: key })))
      .toSorted((a, b) => compareAddresses(a.range.first, b.range.first));
  }

  /** The key of the pool that has the address. */
  find(address: Address): string | undefined {
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
    return (
      this.#entries.length === other.#entries.length &&
      this.#entries.every((entry, index) => sameEntry(entry, other.#entries[index]))
    );
  }
}

function sameEntry(a: Entry, b: Entry | undefined): boolean {
  if (b === undefined || a.pool !== b.pool) return false;
  const isSameStart = compareAddresses(a.range.first, b.range.first) === 0;
  return isSameStart && compareAddresses(a.range.last, b.range.last) === 0;
}
