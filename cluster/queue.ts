/** Work queue: keys in, one run at a time for each key; the one retry policy. Knows no Kubernetes. */
import { log } from "./log.ts";

/** Pauses between tries: the first, and the longest, in milliseconds. */
const FIRST_PAUSE_MILLIS = 50;
const LONGEST_PAUSE_MILLIS = 5_000;

/** Pause before the next try after so many failures: doubling, with a jitter of half, in milliseconds. */
export function backoffMillis(failures: number, random: () => number = Math.random): number {
  const pause = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS * 2 ** Math.min(failures, 16));
  return pause * (0.5 + random() / 2);
}

/** When a key is to be looked at again although nothing was heard of it, in milliseconds; undefined for never. */
export type Again = number | undefined;

/** What one queue does with a key, and how many keys at once. */
export type Work = { readonly name: string; readonly workers: number; run(key: string): Promise<Again> };

/**
 * Keys wait here. A key that comes again while it waits is one; while it runs, it runs once more afterwards. A queue that
 * is not started takes none, so that a process which only stands by remembers nothing: who starts it adds all there are.
 */
export class Queue {
  readonly #work: Work;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, { readonly timer: NodeJS.Timeout; readonly dueMillis: number }>();
  #isStarted = false;

  constructor(work: Work) {
    this.#work = work;
  }

  /** How many keys wait or run. */
  get length(): number {
    return this.#waiting.size + this.#running.size;
  }

  /** Takes keys, and runs them, until the signal; then forgets all that wait. Work that runs is not broken off. */
  start(signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#isStarted = true;
    const stop = (): void => {
      this.#stop();
    };
    signal.addEventListener("abort", stop, { once: true });
  }

  #stop(): void {
    this.#isStarted = false;
    this.#waiting.clear();
    this.#failures.clear();
    for (const key of [...this.#timers.keys()]) this.#stopTimer(key);
  }

  /** Looks at a key soon; after a pause where one is given, unless it is asked for sooner. */
  add(key: string, pauseMillis = 0): void {
    if (!this.#isStarted) return;
    if (pauseMillis > 0) {
      this.#later(key, pauseMillis);
      return;
    }
    this.#stopTimer(key);
    this.#waiting.add(key);
    this.#next();
  }

  #later(key: string, pauseMillis: number): void {
    const dueMillis = performance.now() + pauseMillis;
    if ((this.#timers.get(key)?.dueMillis ?? Infinity) <= dueMillis) return;
    this.#stopTimer(key);
    const timer = setTimeout(() => {
      this.add(key);
    }, pauseMillis);
    timer.unref();
    this.#timers.set(key, { timer, dueMillis });
  }

  #stopTimer(key: string): void {
    clearTimeout(this.#timers.get(key)?.timer);
    this.#timers.delete(key);
  }

  #next(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#work.workers) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    try {
      const again = await this.#work.run(key);
      this.#failures.delete(key);
      if (again !== undefined) this.add(key, Math.max(1, again));
    } catch (err) {
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      log.warn({ err, queue: this.#work.name, key, failures }, "work failed, trying again");
      this.add(key, backoffMillis(failures));
    } finally {
      this.#running.delete(key);
      this.#next();
    }
  }
}
