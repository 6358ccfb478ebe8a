/**
 * For how long clients lose a Service's address when something happens to the node that answers for it, and for how long
 * two nodes answer: each fault so many times on a lab of its own, or with BERTH_LAB_READY on the one that BERTH_LAB names.
 */
import { parseArgs } from "node:util";
import { reporting, spread, type Report } from "./bench/report.ts";
import { FAULTS, type Fault } from "./failover/faults.ts";
import { onGround, type Family, type Ground } from "./failover/ground.ts";
import { bounded, onLab } from "./failover/lab.ts";
import { withoutApi } from "./failover/outage.ts";
import { playRound, type Outcome } from "./failover/round.ts";
import type { Experience } from "./failover/reckoning.ts";

const NAMES = FAULTS.map(({ name }) => name).join(", ");
const USAGE = `usage: hack/bench failover [--rounds N] [--fault NAME]... [--api running|stopped] [--family ipv4|ipv6]
  faults: ${NAMES}`;

/** What a round may take at most: a pod that is replaced, on each of three nodes. */
const ROUND_MILLIS = 90_000;
const SET_UP_MILLIS = 600_000;
const MAX_ROUNDS = 1_000;

type Wish = {
  readonly rounds: number;
  readonly faults: readonly Fault[];
  readonly apis: readonly ("running" | "stopped")[];
  readonly family: Family;
};

const APIS = ["running", "stopped"] as const;
const FAMILIES = ["ipv4", "ipv6"] as const;

/** What is asked for, or undefined where it cannot be. */
function parseWish(words: readonly string[]): Wish | undefined {
  const options = {
    rounds: { type: "string", default: "20" },
    fault: { type: "string", multiple: true },
    api: { type: "string", multiple: true },
    family: { type: "string", default: "ipv4" },
  } as const;
  const { values } = parseArgs({ args: [...words], options });
  const rounds = Number(values.rounds);
  const family = FAMILIES.find((name) => name === values.family);
  const faults = pickNamed(FAULTS, ({ name }) => name, values.fault);
  const apis = pickNamed(APIS, (name) => name, values.api);
  const isBounded = Number.isInteger(rounds) && rounds >= 1 && rounds <= MAX_ROUNDS;
  if (!isBounded || family === undefined || faults === undefined || apis === undefined) return undefined;
  return { rounds, family, faults, apis };
}

/** Those of the things that are named, all where none is; undefined where there is none of a name. */
function pickNamed<T>(
  all: readonly T[],
  nameOf: (one: T) => string,
  names: readonly string[] = all.map(nameOf),
): readonly T[] | undefined {
  const found = all.filter((one) => names.includes(nameOf(one)));
  return new Set(names).size === found.length ? found : undefined;
}

/** What the design promises of a fault, in milliseconds. */
const aimsOf = ({ isOrderly }: Fault): { readonly gap: number; readonly two: number } =>
  isOrderly ? { gap: 100, two: 20 } : { gap: 500, two: 100 };

function tell(report: Report, fault: Fault, outcomes: readonly Outcome[]): void {
  const of = (phase: "during" | "after", figure: keyof Experience): readonly number[] =>
    outcomes.map((outcome) => outcome[phase][figure]);
  for (const [phase, name] of [
    ["during", fault.name],
    ["after", `${fault.name}, back`],
  ] as const) {
    report(`${name} cold`, spread(of(phase, "cold")), "ms");
    report(`${name} warm`, spread(of(phase, "warm")), "ms");
    report(`${name} two answered`, spread(of(phase, "twoAnswered")), "ms");
    report(`${name} failed probes`, spread(of(phase, "failedProbes")), "probes");
    report(`${name} observers late`, spread(of(phase, "late")), "ms");
  }
  if (fault.needsApi) return; // a rollout visits every node, and may bring the address back to one
  report(`${fault.name}, back moved`, { sum: outcomes.filter(({ hasMoved }) => hasMoved).length }, "rounds");
  report(`${fault.name}, back wrong answers`, { sum: outcomes.reduce((sum, { wrong }) => sum + wrong, 0) }, "replies");
}

const brief = ({ cold, warm, twoAnswered, failedProbes, late }: Experience): string =>
  `cold ${cold.toFixed(0)} warm ${warm.toFixed(0)} two ${twoAnswered.toFixed(0)} failed ${String(failedProbes)} late ${late.toFixed(0)}`;

async function measure(ground: Ground, fault: Fault, { rounds, family }: Wish, api: string): Promise<void> {
  const outcomes: Outcome[] = [];
  for (let index = 1; index <= rounds; index += 1) {
    const outcome = await playRound(ground, fault);
    outcomes.push(outcome);
    const { victim, heir, during, after, hasMoved, last } = outcome;
    const line = `${victim} to ${heir}${hasMoved ? `, then to ${last}` : ""}: ${brief(during)}; back: ${brief(after)}`;
    console.error(`${fault.name} ${String(index)}/${String(rounds)} API ${api}: ${line}`);
  }
  const { gap, two } = aimsOf(fault);
  tell(reporting("failover", { api, family, rounds, aimGap: gap, aimTwo: two }), fault, outcomes);
}

async function main(wish: Wish, signal: AbortSignal): Promise<void> {
  const { family } = wish;
  await onLab("failover", { signal, family }, (target) =>
    onGround({ target, family, signal }, async (ground) => {
      for (const api of wish.apis) {
        const faults = wish.faults.filter(({ needsApi }) => api === "running" || !needsApi);
        const all = async (): Promise<void> => {
          for (const fault of faults) await measure(ground, fault, wish, api);
        };
        await (api === "running" ? all() : withoutApi(target, all));
      }
    }),
  );
}

const wish = parseWish(process.argv.slice(2));
if (wish === undefined) {
  console.error(USAGE);
  process.exit(2);
}
const count = wish.rounds * wish.faults.length * wish.apis.length;
await bounded(SET_UP_MILLIS + count * ROUND_MILLIS, (signal) => main(wish, signal));
