/** Which announcers have died without a word: their Leases are not renewed while those of others are. */
import { compareRevisions, type Cache, type Change } from "./cache.ts";
import type { Lease } from "./kinds.ts";
import { Listeners } from "./listeners.ts";
import { placeOf } from "./leases.ts";

/** How long an announcer that does not renew its Lease counts as alive, in milliseconds: what it writes there itself. */
export const LOST_MILLIS = 40_000;
/** A pause after which nothing follows from who has not renewed, in milliseconds: all renew every 10 s, so nobody could. */
const OUTAGE_MILLIS = 20_000;

/**
 * When each node's announcer was heard of, by a clock of this process that does not jump: the times in Leases are of as many
 * clocks as there are nodes. Nothing is concluded while no Lease is renewed, as when the API server is away.
 */
export class Renewals {
  /** By node, whoever was heard of longest ago first. */
  readonly #heardMillis = new Map<string, number>();
  readonly #lost = new Set<string>();
  readonly #listeners = new Listeners<string>();
  readonly #clock: () => number;
  #newestMillis = -Infinity;

  constructor(leases: Cache<Lease>, clock: () => number) {
    this.#clock = clock;
    leases.subscribe((change) => {
      const place = placeOf(change.after ?? change.before ?? {});
      if (place?.shard !== 0) return;
      if (change.after === undefined) this.#forget(place.node);
      else if (isRenewal(change))
        this.#hear(place.node, compareRevisions(change.resourceVersion, leases.revision) <= 0);
    });
  }

  /** Whether the node's announcer has been silent for so long while others were not. */
  isLost(node: string): boolean {
    return this.#lost.has(node);
  }

  /** Calls back with each node that comes to be lost, or is heard of again, until the signal. */
  subscribe(listener: (node: string) => void, term: AbortSignal): void {
    this.#listeners.add(listener, term);
  }

  #forget(node: string): void {
    this.#heardMillis.delete(node);
    this.#lost.delete(node);
  }

  /** What the answer to a write brings is a sign of life, but says nothing of those whom the watch has yet to bring. */
  #hear(node: string, isOfWatch: boolean): void {
    const now = this.#clock();
    if (isOfWatch) this.#noteRenewal(now);
    const wasLost = this.#lost.delete(node);
    this.#heardMillis.delete(node);
    this.#heardMillis.set(node, now);
    if (wasLost) this.#listeners.tell(node);
    if (isOfWatch) this.#loseSilent(now);
  }

  #noteRenewal(now: number): void {
    if (now - this.#newestMillis > OUTAGE_MILLIS)
      for (const known of this.#heardMillis.keys()) this.#heardMillis.set(known, now);
    this.#newestMillis = now;
  }

  #loseSilent(now: number): void {
    for (const [silent, heardMillis] of this.#heardMillis) {
      if (now - heardMillis <= LOST_MILLIS) break;
      this.#heardMillis.delete(silent);
      this.#lost.add(silent);
      this.#listeners.tell(silent);
    }
  }
}

const isRenewal = ({ before, after }: Change<Lease>): boolean =>
  before === undefined || before.spec?.renewTime !== after?.spec?.renewTime;
