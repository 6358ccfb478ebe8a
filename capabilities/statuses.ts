/** The status of pools and advertisements: how full a pool is, and what is to be said of either. */
import { isStatusOnly } from "../cluster/cache.ts";
import type { Cluster } from "../cluster/cluster.ts";
import {
  applyStatus,
  conditionFor,
  readyCondition,
  sameCondition,
  type Condition,
  type Conditioned,
} from "../cluster/condition.ts";
import type { IPAddressPool, L2Advertisement } from "../cluster/crd.ts";
import { isNotFound } from "../cluster/errors.ts";
import { keyOf, kinds, parseKey, printKey, type Kind } from "../cluster/kinds.ts";
import { Queue, type Again } from "../cluster/queue.ts";
import { writeEvent, type Occurrence } from "../cluster/write.ts";
import type { State } from "../core/explain/state.ts";
import { countsOf, describeAll, type Counts, type States } from "./describe.ts";

/** The key that stands for every pool and advertisement. */
const ALL = "*";
/** Keys of the queue begin with this where they name an advertisement. */
const OF_ADVERTISEMENT = "l2 ";
/** Pause in which changes gather before they are looked at, in milliseconds. */
const GATHER_MILLIS = 100;
/** Least time between two looks at everything, and between two writes of one pool's status, in milliseconds. */
const PACE_MILLIS = 500;
/** How often the time between two writes doubles while somebody else keeps overwriting them: up to 64 s. */
const MOST_DOUBLINGS = 7;
/** Pools and advertisements whose status is written at the same time. */
const WORKERS = 4;

/** What was last written on a pool, when, and how often in a row somebody else overwrote it. */
type Written = { readonly atMillis: number; readonly counts: Counts; readonly overruled: number };

/** Keeps the status of all pools and advertisements; one in the watcher. */
export class Statuses {
  readonly #cluster: Cluster;
  readonly #queue = new Queue({ name: "statuses", workers: WORKERS, run: (key) => this.#run(key) });
  readonly #written = new Map<string, Written>();
  #states: States | undefined;
  #lookedMillis = -Infinity;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Does the work until the signal. */
  lead(term: AbortSignal): void {
    const { pools, advertisements, nodes, namespaces, serviceCIDRs, services, claims } = this.#cluster;
    for (const cache of [pools, advertisements]) {
      cache.subscribe((change) => {
        if (!isStatusOnly(change)) this.#states = undefined;
        this.#lookSoon();
      }, term);
    }
    for (const cache of [nodes, namespaces, serviceCIDRs]) {
      cache.subscribe(() => {
        this.#states = undefined;
        this.#lookSoon();
      }, term);
    }
    for (const cache of [services, claims]) {
      cache.subscribe(() => {
        this.#lookSoon();
      }, term);
    }
    this.#states = undefined;
    this.#queue.start(term);
    this.#queue.add(ALL);
  }

  #lookSoon(): void {
    const nextMillis = this.#lookedMillis + PACE_MILLIS - performance.now();
    this.#queue.add(ALL, Math.max(GATHER_MILLIS, nextMillis));
  }

  async #run(key: string): Promise<Again> {
    try {
      if (key === ALL) this.#lookAtAll();
      else if (key.startsWith(OF_ADVERTISEMENT)) await this.#writeAdvertisement(key.slice(OF_ADVERTISEMENT.length));
      else await this.#writePool(key);
    } catch (error) {
      if (!isNotFound(error)) throw error; // it was deleted meanwhile
    }
    return undefined;
  }

  #lookAtAll(): void {
    this.#lookedMillis = performance.now();
    for (const pool of this.#cluster.pools.values()) {
      const key = printKey(keyOf(pool));
      if (this.#isStale(pool)) this.#queue.add(key, this.#pauseMillis(key));
    }
    for (const advertisement of this.#cluster.advertisements.values()) {
      const key = printKey(keyOf(advertisement));
      const state = this.#describe().advertisements.get(key);
      if (state !== undefined && !isSaid(advertisement, state)) this.#queue.add(OF_ADVERTISEMENT + key);
    }
    for (const key of this.#written.keys()) {
      if (this.#cluster.pools.get(parseKey(key)) === undefined) this.#written.delete(key);
    }
  }

  #describe(): States {
    this.#states ??= describeAll(this.#cluster);
    return this.#states;
  }

  #isStale(pool: IPAddressPool): boolean {
    const found = this.#describe().pools.get(printKey(keyOf(pool)));
    if (found === undefined) return false;
    return !isSaid(pool, found.state) || !sameCounts(pool.status, countsOf(found, this.#cluster));
  }

  /** How long the next write of a pool's status has to wait. */
  #pauseMillis(key: string): number {
    const written = this.#written.get(key);
    if (written === undefined) return 0;
    return Math.max(0, written.atMillis + PACE_MILLIS * 2 ** written.overruled - performance.now());
  }

  async #writePool(key: string): Promise<void> {
    const pool = this.#cluster.pools.get(parseKey(key));
    const found = this.#describe().pools.get(key);
    if (pool === undefined || found === undefined || !this.#isStale(pool)) return;
    const counts = countsOf(found, this.#cluster);
    const status = { ...counts, conditions: [conditionFor(pool, found.state)] };
    this.#cluster.pools.accept(await applyStatus(this.#cluster.api, kinds.pools, pool, status));
    const last = this.#written.get(key);
    const isOverruled = last !== undefined && !sameCounts(pool.status, last.counts);
    const overruled = isOverruled ? Math.min(last.overruled + 1, MOST_DOUBLINGS) : 0;
    this.#written.set(key, { atMillis: performance.now(), counts, overruled });
    await this.#tell(pool, kinds.pools, poolEvent(found.state, readyCondition(pool)));
  }

  async #writeAdvertisement(key: string): Promise<void> {
    const advertisement = this.#cluster.advertisements.get(parseKey(key));
    const state = this.#describe().advertisements.get(key);
    if (advertisement === undefined || state === undefined || isSaid(advertisement, state)) return;
    const status = { conditions: [conditionFor(advertisement, state)] };
    const { api, advertisements } = this.#cluster;
    advertisements.accept(await applyStatus(api, kinds.advertisements, advertisement, status));
    if (state.reason !== MALFORMED) return; // what is missing may come; things are applied in any order
    const event = { type: "Warning", reason: "AdvertisementInert", note: state.message } as const;
    await this.#tell(advertisement, kinds.advertisements, event);
  }

  /** Records an Event unless the object, as it was before, said the same. */
  async #tell(before: Conditioned, kind: Kind<Conditioned>, event: Occurrence | undefined): Promise<void> {
    if (event === undefined || readyCondition(before)?.message === event.note) return;
    await writeEvent(this.#cluster.api, before, { ...event, action: "Check" }, kind);
  }
}

const MALFORMED = "Malformed";
const USABLE = "Usable";

/** The Event that goes with a pool's new state, if one does. */
function poolEvent({ isReady, reason, message }: State, before: Condition | undefined): Occurrence | undefined {
  if (!isReady) return { type: "Warning", reason: "PoolInert", note: message };
  if (reason !== USABLE) return { type: "Warning", reason, note: message };
  return before?.status === "False" ? { type: "Normal", reason: "PoolUsable", note: message } : undefined;
}

const isSaid = (object: IPAddressPool | L2Advertisement, state: State): boolean =>
  sameCondition(readyCondition(object), conditionFor(object, state));

const sameCounts = (left: Partial<Counts> | undefined, right: Counts): boolean =>
  left?.assignedIPv4 === right.assignedIPv4 &&
  left.assignedIPv6 === right.assignedIPv6 &&
  left.availableIPv4 === right.availableIPv4 &&
  left.availableIPv6 === right.availableIPv6;
