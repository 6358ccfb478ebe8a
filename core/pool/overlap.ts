/** Which pools stand in each other's way, and which of them count. */
import type { Address, Family } from "../address/address.ts";
import { compareAddresses } from "../address/address.ts";
import type { Range } from "../address/range.ts";
import { rangesOverlap } from "../address/range.ts";
import type { Pool, PoolInput } from "./pool.ts";
import { createdMillisOf, identityOf, parsePool, readableRanges } from "./pool.ts";
import type { PoolOverlap, PoolRefusal } from "./refusal.ts";

/** The pools that give addresses, oldest first, and those that do not, with the reason. */
export type UsablePools = { readonly usable: readonly Pool[]; readonly inert: readonly InertPool[] };

/** A pool that gives no addresses until it is changed; `ranges` are those of its entries that can be read. */
export type InertPool = Pick<Pool, "key" | "name" | "labels" | "ranges"> & {
  readonly refusal: PoolRefusal | PoolOverlap;
};

/** The first address range that the pool shares with any of the others; a pool never overlaps its own older version. */
export function findOverlap(pool: Pool, others: readonly Pool[]): PoolOverlap | undefined {
  for (const other of others) {
    if (other.key === pool.key) continue;
    for (const range of pool.ranges) {
      const otherRange = other.ranges.find((candidate) => rangesOverlap(candidate, range));
      if (otherRange !== undefined) return { kind: "poolOverlap", pool: pool.key, range, other: other.key, otherRange };
    }
  }
  return undefined;
}

/** All sound pools of which no older one has an address; of equally old ones, the first by namespace and name counts. */
export function usablePools(inputs: readonly PoolInput[]): UsablePools {
  const usable: Pool[] = [];
  const inert: InertPool[] = [];
  const taken = { IPv4: new RangeIndex(), IPv6: new RangeIndex() };
  for (const input of inputs.toSorted(olderFirst)) {
    const parsed = parsePool(input);
    const refusal = parsed.ok ? overlapWith(taken, parsed.value) : parsed.error;
    if (parsed.ok && refusal === undefined) {
      usable.push(parsed.value);
      for (const range of parsed.value.ranges) taken[range.first.family].add({ range, pool: parsed.value.key });
    } else if (refusal !== undefined) inert.push(inertPool(input, refusal));
  }
  return { usable, inert };
}

function inertPool(input: PoolInput, refusal: InertPool["refusal"]): InertPool {
  const { key, name, labels } = identityOf(input);
  return { key, name, labels, ranges: readableRanges(input), refusal };
}

function overlapWith(taken: Readonly<Record<Family, RangeIndex>>, pool: Pool): PoolOverlap | undefined {
  for (const range of pool.ranges) {
    const hit = taken[range.first.family].find(range);
    if (hit !== undefined)
      return { kind: "poolOverlap", pool: pool.key, range, other: hit.pool, otherRange: hit.range };
  }
  return undefined;
}

function olderFirst(a: PoolInput, b: PoolInput): number {
  const [left, right] = [createdMillisOf(a), createdMillisOf(b)];
  if (left !== right) return left < right ? -1 : 1;
  return comparePoolNames(namesOf(a), namesOf(b));
}

const namesOf = (input: PoolInput): { namespace: string; name: string } => ({
  namespace: input.metadata?.namespace ?? "",
  name: input.metadata?.name ?? "",
});

/** Negative, zero or positive: by namespace, then by name, in the order of their code units. */
export function comparePoolNames(
  a: { readonly namespace: string; readonly name: string },
  b: { readonly namespace: string; readonly name: string },
): number {
  const [left, right] = a.namespace === b.namespace ? [a.name, b.name] : [a.namespace, b.namespace];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

type Owned = { readonly range: Range; readonly pool: string };

/** Disjoint ranges of one family in order, so that a thousand pools need no million comparisons. */
class RangeIndex {
  readonly #owned: Owned[] = [];

  /** Adds a range that overlaps none so far. */
  add(owned: Owned): void {
    this.#owned.splice(this.#firstEndingAtOrAfter(owned.range.first), 0, owned);
  }

  /** The lowest range that has an address in common with this one. */
  find(range: Range): Owned | undefined {
    const owned = this.#owned[this.#firstEndingAtOrAfter(range.first)];
    return owned !== undefined && rangesOverlap(owned.range, range) ? owned : undefined;
  }

  #firstEndingAtOrAfter(address: Address): number {
    let [low, high] = [0, this.#owned.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const owned = this.#owned[middle];
      if (owned !== undefined && compareAddresses(owned.range.last, address) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
