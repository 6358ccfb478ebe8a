/** Has one of several watchers lead: says when this one begins, and when it has to stop. When that is, core decides. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { leadsForMillis, writesInMillis, type Standing } from "../core/leadership.ts";
import type { Api } from "./api.ts";
import { log } from "./log.ts";
import { Queue, type Again } from "./queue.ts";
import { LeaseRecord } from "./watcher-lease.ts";

/** The one key of the queue. */
const LEASE = "lease";
/** After so long without an answer a write is tried again, in milliseconds: the leader's time must not pass with one that is lost. */
const WRITE_MILLIS = 2_000;
/** Longest pause after a write that failed, in milliseconds; half of it is jitter. */
const RETRY_MILLIS = 400;

/** What a watcher does while it leads; the signal says when it has to stop. */
export type Lead = (term: AbortSignal) => Promise<void>;

/** One watcher's part in it. Two may lead for a moment, when one of them was suspended: each write says what it goes by. */
export class Leadership {
  readonly #lead: Lead;
  readonly #record: LeaseRecord;
  readonly #identity = `${hostname()}_${randomUUID()}`;
  readonly #queue = new Queue({ name: "leadership", workers: 1, run: () => this.#look() });
  readonly #settled = Promise.withResolvers<undefined>();
  readonly #end = new AbortController();
  #writing: Promise<unknown> = Promise.resolve();
  #seenMillis = performance.now();
  #failures = 0;
  #heldMillis: number | undefined;
  #term: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(api: Api, lead: Lead) {
    this.#record = new LeaseRecord(api);
    this.#lead = lead;
  }

  /** Leads whenever it is this watcher's turn, until {@link stop}. */
  async start(): Promise<void> {
    await this.#record.follow((isKnown) => {
      this.#onChange(isKnown);
    }, this.#end.signal);
    this.#queue.start(this.#end.signal);
    this.#queue.add(LEASE);
  }

  /** Resolves when somebody leads: this watcher, with its work begun, or another that was seen to be alive. */
  get settled(): Promise<undefined> {
    return this.#settled.promise;
  }

  /** Stops leading, and gives the Lease up so that no other watcher has to wait; never rejects. */
  async stop(): Promise<void> {
    this.#end.abort();
    this.#endTerm();
    const cleared = this.#writing.then(() => this.#record.clear(this.#identity));
    await within(WRITE_MILLIS, cleared).catch((err: unknown) => {
      log.warn({ err }, "leadership was not given up and will lapse");
    });
  }

  #standing(): Standing {
    const { holder } = this.#record;
    return { identity: this.#identity, holder, seenMillis: this.#seenMillis, heldMillis: this.#heldMillis };
  }

  #onChange(isKnown: boolean): void {
    this.#seenMillis = performance.now();
    const { holder } = this.#record;
    if (holder !== this.#identity) {
      this.#endTerm();
      if (isKnown && holder !== undefined) this.#settled.resolve(undefined);
    }
    this.#queue.add(LEASE);
  }

  /** Writes the Lease if it is time to; says when it will be. */
  async #look(): Promise<Again> {
    const dueMillis = writesInMillis(this.#standing(), performance.now());
    if (dueMillis > 0) return dueMillis;
    try {
      await this.#write();
      this.#failures = 0;
      return writesInMillis(this.#standing(), performance.now());
    } catch (err) {
      const failures = this.#failures;
      this.#failures = failures + 1;
      log[failures === 0 ? "warn" : "debug"]({ err, failures }, "the watchers' Lease was not written, trying again");
      return RETRY_MILLIS * (0.5 + Math.random() / 2);
    }
  }

  async #write(): Promise<void> {
    const beganMillis = performance.now();
    const writing = this.#record.write(this.#identity).then((isHolder) => {
      if (isHolder) this.#hold(beganMillis);
    });
    this.#writing = writing.catch(() => undefined);
    await within(WRITE_MILLIS, writing);
  }

  /** Leads, or leads on; an answer that comes late counts for what is left of its time. */
  #hold(beganMillis: number): void {
    this.#heldMillis = Math.max(beganMillis, this.#heldMillis ?? beganMillis);
    const millis = leadsForMillis(this.#standing(), performance.now());
    if (millis <= 0 || this.#end.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#endTerm();
    }, millis);
    if (this.#term === undefined) this.#beginTerm();
  }

  #beginTerm(): void {
    const term = new AbortController();
    this.#term = term;
    log.info({ identity: this.#identity }, "this watcher leads");
    void this.#lead(term.signal).then(
      () => {
        this.#settled.resolve(undefined);
      },
      (err: unknown) => {
        log.error({ err }, "work could not begin");
      },
    );
  }

  #endTerm(): void {
    if (this.#term === undefined) return;
    clearTimeout(this.#timer);
    this.#term.abort();
    this.#term = undefined;
    log.info({ identity: this.#identity }, "this watcher leads no longer");
  }
}

/** The outcome of a call, or an error when the time is up; the call itself goes on. */
async function within<T>(millis: number, call: Promise<T>): Promise<T> {
  const late = sleep(millis, undefined, { ref: false }).then(() => {
    throw new Error(`no answer within ${String(millis)} ms`);
  });
  return Promise.race([call, late]);
}
