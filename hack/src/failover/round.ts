/** One fault from beginning to end, as clients see it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "./faults.ts";
import { announcersOn, nodeWith, readyEverywhere, type Ground } from "./ground.ts";
import { observe, type Observer } from "./observer.ts";
import { experienceOf, lastAnswerer, repliesOf, type Experience, type Seen } from "./reckoning.ts";

/** How long all is well before a fault, lasts at least, and is looked at after it was taken back. */
const CALM_MILLIS = 800;
const FAULT_MILLIS = 2_000;
const AFTER_MILLIS = 1_500;
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
export async function playRound(ground: Ground, fault: Fault): Promise<Outcome> {
  await readyEverywhere(ground);
  const observer = observe(ground.paths, ground.goal);
  try {
    return await play(ground, fault, observer);
  } finally {
    observer.stop();
  }
}

async function play(ground: Ground, fault: Fault, observer: Observer): Promise<Outcome> {
  const calm = (millis: number): Promise<void> => sleep(millis, undefined, { signal: ground.signal });
  const mac = await observer.anotherThan("", PATIENCE_MILLIS);
  await calm(CALM_MILLIS);
  const node = nodeWith(mac ?? "");
  const [pid] = announcersOn(ground.paths, node);
  if (mac === undefined || pid === undefined) throw new Error(`nobody answers for ${ground.goal.address}`);
  const victim = { node, pid };
  const struckMillis = Date.now();
  await fault.strike(ground, victim);
  const heir = await observer.anotherThan(mac, PATIENCE_MILLIS);
  await calm(Math.max(CALM_MILLIS, struckMillis + FAULT_MILLIS - Date.now()));
  const mendedMillis = Date.now();
  await fault.mend(ground, victim);
  await calm(AFTER_MILLIS);
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
