/** What a client's observations say about a fault: pure. All times are milliseconds of the wall clock. */

/** What the observers saw: each probe with when it was sent and when it was answered, each reply with who sent it. */
export type Seen = {
  readonly probes: readonly (readonly [sent: number, good: number | null])[];
  readonly replies: readonly (readonly [at: number, mac: string])[];
  /** When the observers themselves came late, and by how much. */
  readonly late: readonly (readonly [at: number, by: number])[];
};

/** A stretch of time that a fault, or the mending of it, falls in. */
export type Stretch = { readonly from: number; readonly to: number };

/** What one stretch was like for clients. */
export type Experience = {
  /** Longest time between two good probes, by when they were sent. */
  readonly warm: number;
  /** Longest time between two replies. */
  readonly cold: number;
  /** For how long two nodes answered. */
  readonly twoAnswered: number;
  readonly failedProbes: number;
  /** By how much the observers themselves came late, at most. */
  readonly late: number;
};

/** A node that answers alone for longer has taken over; until then two answer, in turns as their replies happen to come. */
const ALONE_MILLIS = 200;

/** What the stretch was like. A gap counts wherever a part of it falls in; one that has no end lasts to the end of the stretch. */
export function experienceOf(seen: Seen, stretch: Stretch): Experience {
  const good = seen.probes.filter(([, answered]) => answered !== null).map(([sent]) => sent);
  const within = ([at]: readonly [number, unknown]): boolean => at >= stretch.from && at <= stretch.to;
  return {
    warm: longestGap(good, stretch),
    cold: longestGap(
      seen.replies.map(([at]) => at),
      stretch,
    ),
    twoAnswered: twoAnsweredMillis(seen.replies.filter(within)),
    failedProbes: seen.probes.filter((probe) => within(probe) && probe[1] === null).length,
    late: Math.max(0, ...seen.late.filter(within).map(([, by]) => by)),
  };
}

/** The longest pause between ascending times that a part of falls into the stretch. */
export function longestGap(times: readonly number[], { from, to }: Stretch): number {
  const before = times.findLast((time) => time <= from) ?? from;
  const after = times.find((time) => time >= to) ?? to;
  const marks = [before, ...times.filter((time) => time > from && time < to), after];
  return Math.max(...marks.map((mark, index) => mark - (marks[index - 1] ?? mark)));
}

type Run = { readonly mac: string; readonly from: number; readonly to: number };

/** The replies as runs of one sender each. */
function runsOf(replies: Seen["replies"]): readonly Run[] {
  const runs: Run[] = [];
  for (const [at, mac] of replies) {
    const last = runs.at(-1);
    if (last?.mac === mac) runs[runs.length - 1] = { ...last, to: at };
    else runs.push({ mac, from: at, to: at });
  }
  return runs;
}

/**
 * For how long replies of two nodes came interleaved, all such spans together: from the first reply of the newcomer to
 * the last of the one before. A node that answers alone for a while and then another is no such span.
 */
export function twoAnsweredMillis(replies: Seen["replies"]): number {
  const inner = runsOf(replies).slice(1, -1);
  let [total, start] = [0, undefined as number | undefined];
  let end = 0;
  for (const run of inner) {
    if (run.to - run.from >= ALONE_MILLIS) {
      total += start === undefined ? 0 : end - start;
      start = undefined;
    } else {
      start ??= run.from;
      end = run.to;
    }
  }
  return total + (start === undefined ? 0 : end - start);
}

/** The replies of one node from a moment on. */
export const repliesOf = (seen: Seen, mac: string, from: number): number =>
  seen.replies.filter(([at, by]) => at >= from && by === mac).length;

/** Who answers at the end; empty when nobody ever did. */
export const lastAnswerer = (seen: Seen): string => seen.replies.at(-1)?.[1] ?? "";

/** How often another node answered than the one before. */
export const changesOf = (seen: Seen): number => Math.max(0, runsOf(seen.replies).length - 1);
