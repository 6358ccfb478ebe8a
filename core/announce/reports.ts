/** What the announcers report, by address: who answers, on which interfaces, and who is silent why. */
import type { AnnouncerStatus } from "./plan-text.ts";

/** That a node answers for an address: where, and since which of the planner's rounds. */
export type Answer = { readonly interfaces: readonly string[]; readonly round: number };

type Report = {
  readonly answering: ReadonlyMap<string, readonly string[]>;
  readonly silent: ReadonlyMap<string, string>;
  readonly interfaces: ReadonlySet<string> | undefined;
};

const NOTHING: Report = {
  answering: new Map<string, never>(),
  silent: new Map<string, never>(),
  interfaces: undefined,
};

/** The newest report of each node. */
export class Reports {
  readonly #reports = new Map<string, Report>();
  readonly #answers = new Map<string, Map<string, Answer>>();

  /** Takes in a node's report, undefined where it is not running; gives the addresses of which it says something new. */
  set(node: string, status: AnnouncerStatus | undefined, round: number): ReadonlySet<string> {
    const before = this.#reports.get(node) ?? NOTHING;
    const after = status === undefined ? NOTHING : toReport(status);
    if (status === undefined) this.#reports.delete(node);
    else this.#reports.set(node, after);
    const changed = new Set<string>();
    for (const ip of new Set([...before.answering.keys(), ...after.answering.keys()])) {
      if (before.answering.get(ip)?.join() === after.answering.get(ip)?.join()) continue;
      changed.add(ip);
      this.#setAnswer(ip, node, { interfaces: after.answering.get(ip), round });
    }
    for (const ip of new Set([...before.silent.keys(), ...after.silent.keys()])) {
      if (before.silent.get(ip) !== after.silent.get(ip)) changed.add(ip);
    }
    return changed;
  }

  #setAnswer(ip: string, node: string, answer: { interfaces: readonly string[] | undefined; round: number }): void {
    const answers = this.#answers.get(ip) ?? new Map<string, Answer>();
    const { interfaces } = answer;
    // Who answers already and only changes its interfaces did not begin just now.
    const round = answers.get(node)?.round ?? answer.round;
    if (interfaces === undefined) answers.delete(node);
    else answers.set(node, { interfaces, round });
    if (answers.size === 0) this.#answers.delete(ip);
    else this.#answers.set(ip, answers);
  }

  /** Who says that it answers for an address, by node. */
  answersFor(ip: string): ReadonlyMap<string, Answer> {
    return this.#answers.get(ip) ?? NO_ANSWERS;
  }

  /** Why a node does not answer, in the announcer's own word. */
  silenceOf(ip: string, node: string): string | undefined {
    return this.#reports.get(node)?.silent.get(ip);
  }

  /** The interfaces that a node could answer on; undefined where it does not say. */
  interfacesOf(node: string): ReadonlySet<string> | undefined {
    return this.#reports.get(node)?.interfaces;
  }
}

const NO_ANSWERS: ReadonlyMap<string, Answer> = new Map<string, never>([]);

const toReport = ({ answering, silent, interfaces }: AnnouncerStatus): Report => ({
  answering: new Map(
    answering.flatMap(({ ips, interfaces }) => {
      const names = interfaces.map(({ name }) => name);
      return ips.map((ip): [string, readonly string[]] => [ip, names]);
    }),
  ),
  silent: new Map(silent.flatMap(({ ips, reason }) => ips.map((ip): [string, string] => [ip, reason]))),
  interfaces: interfaces === undefined ? undefined : new Set(interfaces),
});
