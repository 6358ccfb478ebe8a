/** One fault from beginning to end, as clients see it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "./faults.ts";
import { announcersOn, nodeWith, readyEverywhere, type Ground } from "./ground.ts";
import { observe, type Observer } from "./observer.ts";
import { experienceOf, lastAnswerer, repliesOf, type Experience, type Seen } from "./reckoning.ts";

/** How long all is well before a fault, how long that lasts at least, and for how long it is looked on after it was taken back. */
export type Pace = { readonly calmMillis: number; readonly faultMillis: number; readonly afterMillis: number };

/** Long enough for a fault to be over for every part of the cluster, and for one that comes back to take something back. */
export const UNHURRIED: Pace = { calmMillis: 800, faultMillis: 2_000, afterMillis: 1_500 };
/** How long it is waited for another node to answer. */
const PATIENCE_MILLIS = 10_000;

/** What came of a round. */
export type Outcome = {
  readonly victim: string;
  readonly heir: string;
  /** From the fault until it was taken back. */
  readonly during: Experience;
  /** From then on, while the node came back. */
  readonly after: Experience;
  /** Whether the address has left the node that had taken it over. */
  readonly hasMoved: boolean;
  /** Who answers at the end. */
  readonly last: string;
  /** Replies of the node that the fault had hit, after it came back. */
  readonly wrong: number;
  readonly seen: Seen;
};

/** Has the fault happen to the node that answers, and takes it back. */
export async function playRound(ground: Ground, fault: Fault, pace: Pace = UNHURRIED): Promise<Outcome> {
  await readyEverywhere(ground);
  const observer = observe(ground.paths, ground.goal);
  try {
    return await play(ground, fault, pace, observer);
  } finally {
    observer.stop();
  }
}

async function play(ground: Ground, fault: Fault, pace: Pace, observer: Observer): Promise<Outcome> {
  const calm = (millis: number): Promise<void> => sleep(millis, undefined, { signal: ground.signal });
  const mac = await observer.anotherThan("", PATIENCE_MILLIS);
  await calm(pace.calmMillis);
  const node = nodeWith(mac ?? "");
  const [pid] = announcersOn(ground.paths, node);
  if (mac === undefined || pid === undefined) throw new Error(`nobody answers for ${ground.goal.address}`);
  const victim = { node, pid };
  const struckMillis = Date.now();
  await fault.strike(ground, victim);
  const heir = await observer.anotherThan(mac, PATIENCE_MILLIS);
  await calm(Math.max(pace.calmMillis, struckMillis + pace.faultMillis - Date.now()));
  const mendedMillis = Date.now();
  await fault.mend(ground, victim);
  await calm(pace.afterMillis);
  const endMillis = Date.now();
  const seen = await observer.finish();
  return {
    victim: node,
    heir: nodeWith(heir ?? ""),
    during: experienceOf(seen, { from: struckMillis, to: mendedMillis }),
    after: experienceOf(seen, { from: mendedMillis, to: endMillis }),
    hasMoved: lastAnswerer(seen) !== heir,
    last: nodeWith(lastAnswerer(seen)),
    wrong: repliesOf(seen, mac, mendedMillis),
    seen,
  };
}
