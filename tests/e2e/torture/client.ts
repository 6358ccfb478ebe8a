/** One of many who create, change and delete Services, keep asking while nobody answers, and note what they are told. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../../../cluster/api.ts";
import { ApiError } from "../../../cluster/errors.ts";
import { keyOf, kinds, type Service } from "../../../cluster/kinds.ts";
import { anyAct, anyService, type Act, type Kinds } from "./acts.ts";
import type { Fault, Note } from "./checker.ts";
import { annotated, isServed, nameOf, pinsOf, poolNameOf } from "./listing.ts";
import { holds, numberOf } from "./addresses.ts";
import type { IPAddressPool } from "../../../cluster/crd.ts";
import { Random } from "./random.ts";

/** How long the API server may be away, in milliseconds. */
const PATIENCE_MILLIS = 120_000;
const PAUSE_MILLIS = 250;
/** Pause between two things that a client does, at most, in milliseconds: the work is to see every round of the havoc. */
const PACE_MILLIS = 1_000;

/** A Service that a client looks after; `told` are the addresses that it can count on. */
type Ward = {
  service: Service;
  readonly isSharer: boolean;
  told: readonly string[];
  /** Since it changed what it shares by, its fellows may have driven it out while no webhook looked. */
  isLoose: boolean;
};

/** How often each answer came. */
export type Tally = Record<"created" | "changed" | "denied" | "deleted" | "retried" | "withoutAddress", number>;

export type ClientPlan = Kinds & {
  readonly api: Api;
  readonly seed: number;
  readonly name: string;
  readonly services: number;
  readonly pools: readonly IPAddressPool[];
};

export class Client {
  readonly tally: Tally = { created: 0, changed: 0, denied: 0, deleted: 0, retried: 0, withoutAddress: 0 };
  /** What was wrong with an answer itself. */
  readonly faults: Fault[] = [];
  readonly #plan: ClientPlan;
  readonly #random: Random;
  readonly #wards: Ward[] = [];

  constructor(plan: ClientPlan) {
    this.#plan = plan;
    this.#random = new Random(plan.seed);
  }

  /** What it was told of the Services that it has now. */
  get notes(): readonly Note[] {
    return this.#wards
      .filter(({ told }) => told.length > 0)
      .map(({ service, told }) => ({ service: nameOf(service), addresses: told }));
  }

  /** Does all that it has to do; a calm one only creates. */
  async run(): Promise<void> {
    for (let index = 0; index < this.#plan.services; index += 1) {
      await this.#create(`${this.#plan.name}-${String(index)}`);
      if (this.#plan.isCalm) continue;
      for (let change = this.#random.below(3); change > 0; change -= 1) await this.#change();
      if (this.#random.next() < 0.6) await this.#delete();
    }
  }

  async #create(name: string): Promise<void> {
    const { service, isSharer } = anyService(this.#random, name, this.#plan);
    const answer = await this.#persist(() => this.#plan.api.create(kinds.services, service));
    // The answer to an earlier try was lost on its way.
    const stored = answer.refusal?.status === 409 ? await this.#read(service) : answer.value;
    if (stored === undefined) {
      this.#noteRefusal(answer.refusal, `create ${nameOf(service)}`);
      return;
    }
    this.tally.created += 1;
    if (annotated(stored).length === 0) this.tally.withoutAddress += 1;
    this.#wards.push({ service: stored, isSharer, told: this.#firm(stored), isLoose: false });
  }

  async #change(): Promise<void> {
    const ward = this.#wards[this.#random.below(this.#wards.length)];
    if (ward === undefined) return;
    const act = anyAct(this.#random, { isSharer: ward.isSharer, isLoadBalancer: isServed(ward.service) });
    const key = keyOf(ward.service);
    const { value, refusal } = await this.#persist(() => this.#plan.api.merge(kinds.services, key, act.patch));
    if (value === undefined) {
      this.#noteRefusal(refusal, `${act.name} ${nameOf(ward.service)}`);
      return;
    }
    this.tally.changed += 1;
    this.#note(ward, value, act);
  }

  #note(ward: Ward, service: Service, { name, asks }: Act): void {
    const now = annotated(service);
    if (asks === "nothing" && isServed(service) && !ward.told.every((address) => now.includes(address))) {
      const what = `${nameOf(service)} had ${ward.told.join()} and asked "${name}": it has ${now.join()}`;
      this.faults.push({ kind: "lost", what });
    }
    ward.service = service;
    ward.isLoose ||= asks === "terms";
    ward.told = ward.isLoose ? [] : this.#firm(service);
  }

  /** The addresses in an answer, where they are what the Service asks for: else the watcher has yet to see to it. */
  #firm(service: Service): readonly string[] {
    const addresses = annotated(service);
    const pool = this.#plan.pools.find(({ metadata }) => metadata?.["name"] === poolNameOf(service));
    const isInPool = pool === undefined || addresses.every((address) => holds(pool, numberOf(address) ?? -1n));
    return isServed(service) && isInPool && pinsOf(service).every((pin) => addresses.includes(pin)) ? addresses : [];
  }

  async #delete(): Promise<void> {
    const [ward] = this.#wards.splice(this.#random.below(this.#wards.length), 1);
    if (ward === undefined) return;
    await this.#persist(() => this.#plan.api.remove(kinds.services, keyOf(ward.service), {}));
    this.tally.deleted += 1;
  }

  async #read(service: Service): Promise<Service | undefined> {
    return (await this.#persist(() => this.#plan.api.get(kinds.services, keyOf(service)))).value;
  }

  #noteRefusal(refusal: ApiError | undefined, what: string): void {
    if (refusal?.message.includes("denied the request: ") === true) {
      this.tally.denied += 1;
      if (!refusal.message.endsWith("denied the request: {}")) return;
    }
    this.faults.push({ kind: "untrueReason", what: `${what}: ${refusal?.message ?? "no answer"}` });
  }

  /** Asks until there is an answer. */
  async #persist<T>(ask: () => Promise<T>): Promise<{ readonly value?: T; readonly refusal?: ApiError }> {
    if (!this.#plan.isCalm) await sleep(this.#random.below(PACE_MILLIS));
    const end = performance.now() + PATIENCE_MILLIS;
    for (;;) {
      try {
        return { value: await ask() };
      } catch (error) {
        if (error instanceof ApiError && error.status < 500 && error.status !== 429) return { refusal: error };
        if (performance.now() > end) throw error;
      }
      this.tally.retried += 1;
      await sleep(PAUSE_MILLIS);
    }
  }
}
