/** A set of numbers kept as few intervals as possible, in chunks, so that no operation moves more than a few dozen. */

type Interval = { readonly first: bigint; readonly last: bigint };

/** Neighbouring intervals in order, and how many numbers they hold together. */
type Chunk = { readonly intervals: Interval[]; size: bigint };

type Position = {
  readonly chunk: Chunk;
  readonly chunkIndex: number;
  readonly index: number;
  readonly interval: Interval;
};

/** A chunk that grows beyond this is halved. */
const CHUNK_LIMIT = 64;

/** A set of whole numbers from 0 on. All operations take logarithmic time plus one chunk's length. */
export class IntervalSet {
  readonly #chunks: Chunk[] = [];

  /** Adds every number from `first` to `last`, some of which may be there already. */
  add(first: bigint, last: bigint): void {
    let merged = { first, last };
    let at = this.#lastStartingAtOrBefore(last + 1n);
    while (at !== undefined && at.interval.last >= first - 1n) {
      merged = { first: min(merged.first, at.interval.first), last: max(merged.last, at.interval.last) };
      this.#delete(at);
      at = this.#lastStartingAtOrBefore(merged.last + 1n);
    }
    this.#insert(merged);
  }

  /** Takes one number out, if it is there. */
  remove(value: bigint): void {
    const at = this.#lastStartingAtOrBefore(value);
    if (at === undefined || at.interval.last < value) return;
    this.#delete(at);
    if (at.interval.first < value) this.#insert({ first: at.interval.first, last: value - 1n });
    if (value < at.interval.last) this.#insert({ first: value + 1n, last: at.interval.last });
  }

  /** The lowest number from `value` on that is not in the set. */
  nextAbsent(value: bigint): bigint {
    const at = this.#lastStartingAtOrBefore(value);
    // intervals never touch, so the number after one is always absent
    return at === undefined || at.interval.last < value ? value : at.interval.last + 1n;
  }

  /** How many numbers from `first` to `last` are in the set. */
  countBetween(first: bigint, last: bigint): bigint {
    return this.#countUpTo(last) - this.#countUpTo(first - 1n);
  }

  #countUpTo(value: bigint): bigint {
    const at = this.#lastStartingAtOrBefore(value);
    if (at === undefined) return 0n;
    let count = 0n;
    for (let i = 0; i < at.chunkIndex; i++) count += this.#chunks[i]?.size ?? 0n;
    for (let i = 0; i < at.index; i++) count += lengthOf(at.chunk.intervals[i]);
    return count + min(at.interval.last, value) - at.interval.first + 1n;
  }

  #lastStartingAtOrBefore(value: bigint): Position | undefined {
    const chunkIndex = lastIndexWhere(this.#chunks, (chunk) => startOf(chunk) <= value);
    const chunk = this.#chunks[chunkIndex];
    if (chunk === undefined) return undefined;
    const index = lastIndexWhere(chunk.intervals, (interval) => interval.first <= value);
    const interval = chunk.intervals[index];
    return interval === undefined ? undefined : { chunk, chunkIndex, index, interval };
  }

  #delete({ chunk, chunkIndex, index, interval }: Position): void {
    chunk.intervals.splice(index, 1);
    chunk.size -= lengthOf(interval);
    if (chunk.intervals.length === 0) this.#chunks.splice(chunkIndex, 1);
  }

  #insert(interval: Interval): void {
    const chunkIndex = Math.max(
      0,
      lastIndexWhere(this.#chunks, (chunk) => startOf(chunk) <= interval.first),
    );
    const chunk = this.#chunks[chunkIndex];
    if (chunk === undefined) {
      this.#chunks.push({ intervals: [interval], size: lengthOf(interval) });
      return;
    }
    const index = lastIndexWhere(chunk.intervals, (other) => other.first <= interval.first) + 1;
    chunk.intervals.splice(index, 0, interval);
    chunk.size += lengthOf(interval);
    if (chunk.intervals.length > CHUNK_LIMIT) this.#halve(chunk, chunkIndex);
  }

  #halve(chunk: Chunk, chunkIndex: number): void {
    const upper = chunk.intervals.splice(CHUNK_LIMIT / 2);
    const size = upper.reduce((sum, interval) => sum + lengthOf(interval), 0n);
    chunk.size -= size;
    this.#chunks.splice(chunkIndex + 1, 0, { intervals: upper, size });
  }
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const lengthOf = (interval: Interval | undefined): bigint =>
  interval === undefined ? 0n : interval.last - interval.first + 1n;
const startOf = (chunk: Chunk): bigint => chunk.intervals[0]?.first ?? 0n;

/** The index of the last item that holds, in a list whose first items hold and whose rest does not; -1 if none does. */
function lastIndexWhere<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = list[middle];
    if (item !== undefined && holds(item)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
