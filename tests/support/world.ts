/** A whole Berth in memory: one store, admission pods that its writes pass through, and a watcher. */
import type { Capability } from "pepr";
import { afterEach, beforeEach } from "vitest";
import { announcements } from "../../capabilities/announcements.ts";
import type { Answer } from "../../capabilities/guard.ts";
import type { Part } from "../../capabilities/part.ts";
import { peers } from "../../capabilities/peers.ts";
import { pools } from "../../capabilities/pools.ts";
import { services } from "../../capabilities/services.ts";
import type { Api } from "../../cluster/api.ts";
import { Cluster } from "../../cluster/cluster.ts";
import { ApiError } from "../../cluster/errors.ts";
import { kinds, parseKey, printKey, type ApiObject, type Kind, type Service } from "../../cluster/kinds.ts";
import { claimantsOf, isOurClaim } from "../../cluster/read.ts";
import { keys } from "../../core/keys.ts";
import { mutateRequest, validateRequest } from "./builders.ts";
import { MemoryStore, withStatusOf, type Admission, type Hook } from "./memory-api.ts";
import { pass, pauseTime, resumeTime } from "./paused-time.ts";

/** What there is when Berth starts, by the name in `kinds`. */
export type Seed = { readonly [name in keyof typeof kinds]?: readonly ApiObject[] };

/** How many admission pods there are, and what stands between each process and the store. */
export type Processes = { readonly admission?: number; readonly hook?: (process: string) => Hook };

/** What a person sees of a request. */
export type Outcome<T> = { readonly stored?: T; readonly denied?: string; readonly warnings: readonly string[] };

type Process = { readonly cluster: Cluster; readonly parts: readonly Part[] };
type Request = Admission & { readonly isDryRun?: boolean };
type Admitted = {
  readonly object: ApiObject;
  readonly denied: string | undefined;
  readonly warnings: readonly string[];
};

/** The module as pepr.ts puts it together. */
export function processOver(api: Api): Process {
  const cluster = new Cluster(api);
  return { cluster, parts: [services(cluster), pools(cluster), announcements(cluster), peers()] };
}

async function lead({ cluster, parts }: Process, signal: AbortSignal): Promise<void> {
  await cluster.start("watcher", signal);
  for (const part of parts) await part.lead(signal);
}

/** Namespaces that Pepr keeps its webhooks out of. */
const UNSEEN: ReadonlySet<string> = new Set(["kube-system", "pepr-system"]);

/** Everything running; time must be paused. */
export class World {
  readonly store = new MemoryStore();
  readonly watcher: Process;
  readonly admission: readonly Process[];
  /** Whether the API server reaches the webhooks. */
  isWebhookUp = true;
  readonly #end = new AbortController();
  readonly #watcherEnd = new AbortController();
  readonly #user: Api;
  #turn = 0;
  #warnings: string[] = [];

  constructor({ admission = 2, hook = () => (_, run) => run() }: Processes = {}) {
    const names = Array.from({ length: admission }, (_, index) => `admission-${String(index)}`);
    this.admission = names.map((name) => processOver(this.store.client({ hook: hook(name) })));
    this.watcher = processOver(this.store.client({ hook: hook("watcher") }));
    this.#user = this.store.client({ user: "someone" });
    this.store.admit = async (admission) => {
      const { object, denied, warnings } = await this.admit(admission);
      this.#warnings.push(...warnings);
      if (denied !== undefined) throw new ApiError("admission", 400, "", denied);
      return object;
    };
  }

  /** Stores the seed, starts all processes and lets them come to rest. */
  static async open(seed: Seed = {}, processes: Processes = {}): Promise<World> {
    const world = new World(processes);
    for (const [name, objects] of Object.entries(seed)) {
      const kind: Kind<ApiObject> = kinds[name as keyof Seed];
      world.store.seed(kind, ...objects);
    }
    await world.start();
    return world;
  }

  async start(): Promise<void> {
    const { signal } = this.#end;
    for (const { cluster } of this.admission) await cluster.start("admission", signal);
    const watching = AbortSignal.any([signal, this.#watcherEnd.signal]);
    await lead(this.watcher, watching);
    await pass(50);
  }

  /** Starts another watcher, which leads until the signal. */
  startWatcher(signal: AbortSignal): Promise<void> {
    return lead(processOver(this.store.client()), signal);
  }

  /** Ends the watcher alone. */
  endWatcher(): void {
    this.#watcherEnd.abort();
  }

  /** Ends all processes. */
  close(): void {
    this.#end.abort();
  }

  /** `kubectl create`, as the webhooks and the store answer it. */
  create<T extends ApiObject>(kind: Kind<T>, object: T): Promise<Outcome<T>> {
    return this.#ask(() => this.#user.create(kind, object));
  }

  /** `kubectl patch`. */
  change<T extends ApiObject>(kind: Kind<T>, key: string, patch: object): Promise<Outcome<T>> {
    return this.#ask(() => this.#user.merge(kind, parseKey(key), patch));
  }

  /** `kubectl delete`. */
  delete<T extends ApiObject>(kind: Kind<T>, key: string, user = "someone"): Promise<Outcome<T>> {
    return this.#ask(async () => {
      await this.store.client({ user }).remove(kind, parseKey(key), {});
      return {} as T;
    });
  }

  async #ask<T>(request: () => Promise<T>): Promise<Outcome<T>> {
    this.#warnings = [];
    try {
      const stored = await request();
      return { stored, warnings: this.#warnings };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
      return { denied: error.message.replace("admission: 400 : ", ""), warnings: this.#warnings };
    }
  }

  /** What the webhooks say to a request; nothing is stored. */
  async admit(request: Request): Promise<Admitted> {
    if (!this.#isSeen(request)) return { object: request.object, denied: undefined, warnings: [] };
    const { operation, oldObject, isDryRun = false, user, plural } = request;
    const parts = { operation, oldObject, isDryRun, user };
    const mutation = mutateRequest(request.object, parts);
    for (const { mutateCallback } of bindingsOf(this.#nextProcess(), plural, operation)) {
      await mutateCallback?.(mutation);
    }
    // The patch travels as JSON.
    const object = withStatusOf(oldObject, JSON.parse(JSON.stringify(mutation.Raw)) as ApiObject, plural);
    const validation = validateRequest(object, parts);
    for (const { validateCallback } of bindingsOf(this.#nextProcess(), plural, operation)) {
      const answer: Answer | undefined = await validateCallback?.(validation);
      if (answer !== undefined) return { object, ...verdictOf(answer) };
    }
    return { object, denied: undefined, warnings: [] };
  }

  #isSeen({ plural, object, oldObject }: Request): boolean {
    if (!this.isWebhookUp || UNSEEN.has(object.metadata?.namespace ?? "")) return false;
    return plural !== kinds.services.plural || isLoadBalancer(object) || isLoadBalancer(oldObject);
  }

  #nextProcess(): Process {
    this.#turn += 1;
    const process = this.admission[this.#turn % this.admission.length];
    if (process === undefined) throw new Error("no admission pod");
    return process;
  }

  service(key: string): Service | undefined {
    return this.store.get(kinds.services, parseKey(key));
  }

  /** The addresses in the annotation of a stored Service. */
  annotationOf(key: string): string | undefined {
    return this.service(key)?.metadata?.annotations?.[keys.addresses];
  }

  /** The addresses in the status of a stored Service. */
  statusOf(key: string): readonly (string | undefined)[] {
    return (this.service(key)?.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);
  }

  /** Reason and message of the condition on a stored Service. */
  conditionOf(key: string): string | undefined {
    const found = (this.service(key)?.status?.conditions ?? []).find(({ type }) => type === keys.addressAssigned);
    return found === undefined ? undefined : `${found.status} ${found.reason}: ${found.message}`;
  }

  /** Who holds each claimed address: "address namespace/name", sharers joined by "+". */
  claims(): readonly string[] {
    return this.store.all(kinds.claims).map((claim) => {
      const holders = isOurClaim(claim) ? claimantsOf(claim) : [claim.spec?.parentRef ?? { name: "" }];
      return `${claim.metadata?.name ?? ""} ${holders.map(printKey).join("+")}`;
    });
  }

  /** Reasons and notes of the Events on a Service, oldest first. */
  events(key: string): readonly string[] {
    const { name } = parseKey(key);
    type Event = ApiObject & { reason: string; note: string; regarding: { name: string } };
    const events = this.store.all(kinds.events) as readonly Event[];
    return events.filter(({ regarding }) => regarding.name === name).map(({ reason, note }) => `${reason}: ${note}`);
  }
}

const verdictOf = ({ allowed, statusMessage, warnings = [] }: Answer): Omit<Admitted, "object"> => ({
  denied: allowed ? undefined : (statusMessage ?? "{}"),
  warnings,
});

const isLoadBalancer = (object: ApiObject | undefined): boolean =>
  (object as Service | undefined)?.spec?.type === "LoadBalancer";

/** The event by its value, since Pepr's enum is not exported. */
const eventOf = (event: string): string => event;

/** The bindings that Pepr calls for a request, in order. */
function bindingsOf({ parts }: Process, plural: string, operation: string): Capability["bindings"] {
  return parts
    .flatMap(({ capability }) => capability.bindings)
    .filter(({ kind, event }) => {
      const isKind = (kind.plural ?? `${kind.kind.toLowerCase()}s`) === plural;
      return isKind && (operation === "DELETE") === eventOf(event).startsWith("DELETE");
    });
}

/** Opens worlds for the tests of a file. Time is paused for each test, and all its worlds are closed after it. */
export function useWorlds(): { readonly open: typeof World.open } {
  const opened: World[] = [];
  beforeEach(() => {
    pauseTime();
  });
  afterEach(() => {
    for (const world of opened.splice(0)) world.close();
    resumeTime();
  });
  return {
    open: async (seed, processes) => {
      const world = await World.open(seed, processes);
      opened.push(world);
      return world;
    },
  };
}
