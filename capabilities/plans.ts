/** The watcher's work on announcing: changes go to the planner, its plans to the Leases, what comes of them to people. */
import type { Cluster } from "../cluster/cluster.ts";
import { metadataOf, parseKey, type Lease } from "../cluster/kinds.ts";
import { isManaged, placeOf } from "../cluster/leases.ts";
import { L2Statuses } from "../cluster/l2-statuses.ts";
import { Pace } from "../cluster/pace.ts";
import { Queue, type Again } from "../cluster/queue.ts";
import { isReady, isTakenUp } from "../cluster/read.ts";
import { writeEvent } from "../cluster/write.ts";
import { announcementOf, answerersOf, type Answerer } from "../core/announce/announcement.ts";
import { Planner } from "../core/announce/planner.ts";
import { announcedCondition } from "../core/explain/announced.ts";
import { keys } from "../core/keys.ts";
import { nodesWithLeases, writeNodePlan } from "./node-plans.ts";
import { PlanFeed } from "./plan-feed.ts";

/** The one key of the queue that plans. */
const PLAN = "plan";
/** Leases that are written at the same time, and Services that are told of. */
const WRITERS = 4;
/** Pause before a Service's announcement is told of, so that a change of node is told of once, in milliseconds. */
const SETTLE_MILLIS = 300;
/** Pause before a ServiceL2Status that somebody deleted is made again, so that two who differ don't keep each other busy; in milliseconds. */
const RESTORE_MILLIS = 5_000;
/** How long a cluster that never had a plan waits for the announcers of its nodes, in milliseconds. */
const FIRST_PLAN_MILLIS = 10_000;

/** Plans, and keeps what follows from the plan up to date, until the signal. Made once all caches are filled. */
export class Plans {
  readonly #cluster: Cluster;
  readonly #term: AbortSignal;
  readonly #planner = new Planner();
  readonly #feed: PlanFeed;
  readonly #pace = new Pace();
  readonly #planning: Queue;
  readonly #leases: Queue;
  readonly #telling: Queue;
  readonly #l2Statuses: L2Statuses;
  readonly #startMillis = performance.now();
  readonly #isNew: boolean;
  #hasPlanned = false;

  constructor(cluster: Cluster, term: AbortSignal) {
    this.#cluster = cluster;
    this.#term = term;
    this.#planning = new Queue({ name: "plan", workers: 1, run: () => Promise.resolve(this.#plan()) });
    this.#leases = new Queue({ name: "leases", workers: WRITERS, run: (node) => this.#writeNode(node) });
    this.#telling = new Queue({ name: "announced", workers: WRITERS, run: (service) => this.#tell(service) });
    const lost = (service: string): void => {
      this.#telling.add(service, RESTORE_MILLIS);
    };
    this.#l2Statuses = new L2Statuses(cluster, { term, lost });
    this.#isNew = ![...cluster.leases.values()].some(isManaged);
    const tell = (): void => {
      this.#planning.add(PLAN, this.#pace.pauseMillis(performance.now()));
    };
    this.#feed = new PlanFeed(cluster, { planner: this.#planner, tell, term });
    // Who leads again would say on Services what it knew then, until it has planned.
    const forget = (): void => {
      cluster.announced.clear();
    };
    term.addEventListener("abort", forget, { once: true });
  }

  /** Plans, and follows all changes from then on. */
  start(): void {
    this.#cluster.leases.subscribe(({ before, after }) => {
      const place = placeOf(after ?? before ?? {});
      // Before the first plan the Leases are all that is known of it.
      if (place !== undefined && planIn(before) !== planIn(after) && this.#hasPlanned) this.#leases.add(place.node);
    }, this.#term);
    this.#planning.start(this.#term);
    this.#planning.add(PLAN);
  }

  #plan(): Again {
    const waitMillis = this.#hasPlanned || !this.#isNew ? 0 : this.#waitMillis();
    if (waitMillis > 0) return waitMillis;
    this.#feed.flush();
    const { nodes, services } = this.#planner.update();
    if (!this.#hasPlanned) this.#begin();
    for (const node of nodes) this.#leases.add(node);
    for (const service of services) this.#telling.add(service, SETTLE_MILLIS);
    if (nodes.size > 0) this.#pace.wrote(performance.now());
    return undefined;
  }

  /** What is there already may be of nodes and Services that are gone. */
  #begin(): void {
    this.#hasPlanned = true;
    this.#leases.start(this.#term);
    this.#telling.start(this.#term);
    for (const node of nodesWithLeases(this.#cluster)) this.#leases.add(node);
    for (const service of this.#l2Statuses.services()) this.#telling.add(service, SETTLE_MILLIS);
  }

  /** The first announcer to come up must not get every address there is, only because the others are a moment behind. */
  #waitMillis(): number {
    const taken = new Set([...this.#cluster.leases.values()].filter(isTakenUp).map((lease) => placeOf(lease)?.node));
    const isMissing = [...this.#cluster.nodes.values()].some(
      (node) => isReady(node) && !taken.has(metadataOf(node).name),
    );
    return isMissing ? this.#startMillis + FIRST_PLAN_MILLIS - performance.now() : 0;
  }

  async #writeNode(node: string): Promise<Again> {
    await writeNodePlan({ node, plan: this.#planner.planOf(node), term: this.#term }, this.#cluster);
    return undefined;
  }

  async #tell(key: string): Promise<Again> {
    const service = this.#cluster.services.get(parseKey(key));
    const announcement = announcementOf(parseService(key), this.#planner);
    const condition = announcement === undefined ? undefined : announcedCondition(announcement);
    this.#cluster.announced.set(key, condition);
    const answering = byNode(answerersOf(key, this.#planner));
    await this.#l2Statuses.bring(parseKey(key), answering, async (node) => {
      const note = `announcing from node "${node}" with protocol "layer2"`;
      if (service !== undefined)
        await writeEvent(this.#cluster.api, service, { type: "Normal", reason: "nodeAssigned", note });
    });
    return undefined;
  }
}

const planIn = (lease: Lease | undefined): string | undefined =>
  lease === undefined ? undefined : metadataOf(lease).annotations[keys.plan];

const parseService = (key: string): { readonly namespace: string; readonly name: string } => {
  const { namespace = "", name } = parseKey(key);
  return { namespace, name };
};

const byNode = (
  answerers: readonly Answerer[],
): readonly { readonly node: string; readonly interfaces: readonly string[] }[] =>
  [...Map.groupBy(answerers, ({ node }) => node)].map(([node, answers]) => ({
    node,
    interfaces: [...new Set(answers.flatMap(({ interfaces }) => interfaces))].toSorted(),
  }));
