/** The whole torture: clients and havoc at once, then rest, then the verdict from outside. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../../../cluster/api.ts";
import { kinds } from "../../../cluster/kinds.ts";
import type { Target } from "../../../hack/src/target.ts";
import { rolledOut } from "../operator.ts";
import type { Kinds } from "./acts.ts";
import { findFaults, findTwoOwners, type Fault } from "./checker.ts";
import { Client, type Tally } from "./client.ts";
import { wreak } from "./havoc.ts";
import { listAll, nameOf } from "./listing.ts";
import { Random } from "./random.ts";

export type Plan = Kinds & {
  readonly api: Api;
  readonly target: Target;
  readonly seed: number;
  readonly clients: number;
  readonly services: number;
  /** Whether processes are killed meanwhile. */
  readonly hasHavoc: boolean;
  /** How long the cluster may take to come to rest, in milliseconds. */
  readonly restMillis: number;
};

export type Verdict = {
  /** What is wrong at the end, with an answer, or was at any time with two Services that share with nobody. */
  readonly faults: readonly Fault[];
  readonly tally: Tally;
  readonly havoc: readonly string[];
  readonly seconds: { readonly work: number; readonly rest: number };
  /** How many LoadBalancers there are at the end, and how many of them have an address. */
  readonly left: { readonly services: number; readonly served: number };
};

export async function torture(plan: Plan): Promise<Verdict> {
  const { api, target, hasHavoc } = plan;
  const pools = (await api.list(kinds.pools)).items;
  const clients = Array.from({ length: plan.clients }, (_, index) => {
    const services = Math.floor(plan.services / plan.clients) + (index < plan.services % plan.clients ? 1 : 0);
    const { seed, isDualStack, isCalm } = plan;
    return new Client({ api, seed: seed * 1_000 + index, name: String(index), services, isDualStack, isCalm, pools });
  });
  const end = new AbortController();
  const started = performance.now();
  const havoc = hasHavoc ? wreak(target, new Random(plan.seed), end.signal) : Promise.resolve([]);
  const seen = watchOwners(api, end.signal);
  try {
    await Promise.all(clients.map((client) => client.run()));
  } finally {
    end.abort();
  }
  const done = await havoc;
  const worked = performance.now();
  if (hasHavoc) await rolledOut(target);
  const { faults, left } = await rest(plan, clients);
  return {
    faults: [...clients.flatMap((client) => client.faults), ...(await seen), ...faults],
    tally: sum(clients.map(({ tally }) => tally)),
    havoc: done,
    seconds: { work: secondsBetween(started, worked), rest: secondsBetween(worked, performance.now()) },
    left,
  };
}

const secondsBetween = (from: number, to: number): number => Math.round((to - from) / 100) / 10;

const sum = (tallies: readonly Tally[]): Tally =>
  tallies.reduce((left, right) => ({
    created: left.created + right.created,
    changed: left.changed + right.changed,
    denied: left.denied + right.denied,
    deleted: left.deleted + right.deleted,
    retried: left.retried + right.retried,
    withoutAddress: left.withoutAddress + right.withoutAddress,
  }));

const LOOK_MILLIS = 2_000;

/** While all this goes on, no two Services that never shared may list one address: not even for a moment. */
async function watchOwners(api: Api, signal: AbortSignal): Promise<readonly Fault[]> {
  const faults = new Map<string, Fault>();
  while (!signal.aborted) {
    const services = (await api.list(kinds.services).catch(() => undefined))?.items ?? [];
    const isSharer = (service: (typeof services)[number]): boolean => nameOf(service).includes("/shared-");
    const found = findTwoOwners({ services }, ({ first, second }) => !isSharer(first) && !isSharer(second));
    for (const fault of found) faults.set(fault.what, { ...fault, what: `${fault.what}, meanwhile` });
    await sleep(LOOK_MILLIS, undefined, { signal }).catch(() => undefined);
  }
  return [...faults.values()];
}

type Rest = Pick<Verdict, "faults" | "left">;

/** The state once nothing is wrong, or the one at the end of the time. */
async function rest({ api, restMillis }: Plan, clients: readonly Client[]): Promise<Rest> {
  const notes = clients.flatMap((client) => client.notes);
  const end = performance.now() + restMillis;
  for (;;) {
    const listing = await listAll(api);
    const faults = findFaults(listing, notes);
    if (faults.length === 0 || performance.now() > end) {
      const services = listing.services.filter(({ spec }) => spec?.type === "LoadBalancer");
      const served = services.filter(({ status }) => (status?.loadBalancer?.ingress ?? []).length > 0);
      return { faults, left: { services: services.length, served: served.length } };
    }
    await sleep(LOOK_MILLIS);
  }
}
