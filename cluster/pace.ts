/** How long changes gather before they are written: hardly at all when it is quiet, longer the more there is to write. */

const QUIET_MILLIS = 20;
const BUSY_MILLIS = 250;
/** Writes that are further apart than this have nothing to do with each other. */
const APART_MILLIS = 1_000;

/** Follows when something was written. Times are milliseconds of a clock that never jumps. */
export class Pace {
  #pauseMillis = QUIET_MILLIS;
  #lastMillis = -Infinity;

  /** How long to wait from now on. */
  pauseMillis(nowMillis: number): number {
    return nowMillis - this.#lastMillis > APART_MILLIS ? QUIET_MILLIS : this.#pauseMillis;
  }

  /** Takes in that something was written. */
  wrote(nowMillis: number): void {
    this.#pauseMillis = Math.min(BUSY_MILLIS, this.pauseMillis(nowMillis) * 2);
    this.#lastMillis = nowMillis;
  }
}
