/** Whether other processes give addresses at the same moment, as the races tell that this one loses to them. No I/O. */
import type { Address } from "../core/address/address.ts";
import { laneOf, otherLane, type Lane } from "../core/allocation/lane.ts";

/** Requests that are further apart than this are not many at once, in milliseconds. */
const APART_MILLIS = 250;

/** Follows the requests of this process, by a clock that never jumps. */
export class Contention {
  readonly #clock: () => number;
  readonly #random: () => number;
  #lane: Lane | undefined;
  /** Counts the choices of a lane. */
  #round = 0;
  #running = 0;
  #togetherMillis = -Infinity;

  constructor(clock: () => number, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The lane to keep to: there is one from the first race that is lost until no two requests have run together for a while. */
  lane(): Lane | undefined {
    if (this.#clock() - this.#togetherMillis > APART_MILLIS) this.#lane = undefined;
    return this.#lane;
  }

  /** Takes in that a request begins to claim addresses, and tells by which choice of a lane; {@link ended} has to follow. */
  begun(): number {
    if (this.#running > 0) this.#togetherMillis = this.#clock();
    this.#running += 1;
    return this.#round;
  }

  ended(): void {
    this.#running -= 1;
  }

  /**
   * Takes in that another process had the address first, so that this one keeps to the other lane. If it kept to that of
   * the address already, the other may change as well at this moment: then chance decides who does. What was begun by an
   * earlier choice tells nothing new.
   */
  lost(address: Address, round: number): void {
    const lane = laneOf(address);
    if (round !== this.#round || (this.#lane !== undefined && this.#lane !== lane)) return;
    this.#round += 1;
    if (this.#lane === undefined || this.#random() < 0.5) this.#lane = otherLane(lane);
  }
}
