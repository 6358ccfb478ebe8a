/** How processes that give addresses at the same moment keep out of each other's way. */
import type { Address } from "../address/address.ts";
import type { Range } from "../address/range.ts";
import type { Occupancy } from "./occupancy.ts";

/** Addresses that leave this remainder are of the lane; there are as many lanes as Pepr runs admission pods. */
export type Lane = 0n | 1n;

/** How many free addresses are looked at for one of the lane: no more than these are left out. */
const LOOKAHEAD = 32;

/** The lane that the address is of. */
export const laneOf = ({ value }: Address): Lane => (value % 2n === 0n ? 0n : 1n);

/** The lane that is not this one. */
export const otherLane = (lane: Lane): Lane => (lane === 0n ? 1n : 0n);

/**
 * The lowest free address of the range that is of the lane, among the lowest few, else the lowest one. The addresses
 * left out are the first to be given once nobody keeps to a lane.
 */
export function lowestFreeOfLane(
  lane: Lane,
  range: Range,
  lowestFree: (range: Range) => ReturnType<Occupancy["lowestFree"]>,
): Address | undefined {
  const lowest = lowestFree(range);
  let free = lowest;
  for (let seen = 0; free !== undefined && seen < LOOKAHEAD; seen++) {
    if (laneOf(free) === lane) return free;
    if (free.value === range.last.value) break;
    free = lowestFree({ ...range, first: { ...free, value: free.value + 1n } });
  }
  return lowest;
}
