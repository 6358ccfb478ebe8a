/** Time stands still until a test moves it: timers, `performance.now`, dates, and Node's own promised timers. */
import { syncBuiltinESMExports } from "node:module";
import promised from "node:timers/promises";
import { vi } from "vitest";

const real = promised.setTimeout;

/** Stops time at a date. */
export function pauseTime(now = "2026-01-01T12:00:00Z"): void {
  vi.useFakeTimers({ now: new Date(now) });
  // vitest leaves Node's promised timers alone.
  setPromisedTimeout(<T>(millis?: number, value?: T) => {
    const { promise, resolve } = Promise.withResolvers<T>();
    setTimeout(() => {
      resolve(value as T);
    }, millis);
    return promise;
  });
}

/** Lets time run again. */
export function resumeTime(): void {
  setPromisedTimeout(real);
  vi.useRealTimers();
}

function setPromisedTimeout(timeout: typeof promised.setTimeout): void {
  promised.setTimeout = timeout;
  syncBuiltinESMExports();
}

/** Moves time on, and lets all that is due and waiting run. */
export async function pass(millis: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(millis);
}
