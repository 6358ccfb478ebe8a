/** Tells the planner what has changed in the caches, as values that core decides on. */
import { isStatusOnly } from "../cluster/cache.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { keyOf, metadataOf, parseKey, printKey, type Lease } from "../cluster/kinds.ts";
import { leaseName, placeOf } from "../cluster/leases.ts";
import { annotatedAddresses, isOurs, isTakenUp, planNode, serviceNameOf } from "../cluster/read.ts";
import { SlicesByService } from "../cluster/slices.ts";
import { parseAdvertisement } from "../core/announce/advertisement.ts";
import { summarizeEndpoints } from "../core/announce/endpoints.ts";
import type { Planner } from "../core/announce/planner.ts";
import { parsePlan, parseStatus } from "../core/announce/plan-text.ts";
import type { AnnouncedPool, AnnouncedService } from "../core/announce/plan-types.ts";
import { PoolIndex } from "../core/announce/pool-index.ts";
import { rebalanceOf } from "../core/announce/rebalance.ts";
import { keys } from "../core/keys.ts";

/** Who is told; `tell` is called whenever there is something new, until the signal. */
export type Feeding = { readonly planner: Planner; readonly tell: () => void; readonly term: AbortSignal };

/** What waits to be told: keys of objects, names of nodes whose Lease or self has changed, and whether pools have. */
export class PlanFeed {
  readonly #cluster: Cluster;
  readonly #planner: Planner;
  readonly #slices: SlicesByService;
  readonly #services = new Set<string>();
  readonly #nodes = new Set<string>();
  readonly #reports = new Set<string>();
  readonly #advertisements = new Set<string>();
  #isPoolsChanged = true;
  #pools = new PoolIndex([]);

  constructor(cluster: Cluster, { planner, tell, term }: Feeding) {
    this.#cluster = cluster;
    this.#planner = planner;
    const note = (keysOfKind: Set<string>, key: string): void => {
      keysOfKind.add(key);
      tell();
    };
    this.#slices = new SlicesByService(cluster.endpointSlices, {
      tell: (service) => {
        note(this.#services, service);
      },
      term,
    });
    cluster.services.subscribe(({ key }) => {
      note(this.#services, printKey(key));
    }, term);
    cluster.nodes.subscribe(({ key }) => {
      note(this.#nodes, key.name);
    }, term);
    cluster.advertisements.subscribe((change) => {
      if (!isStatusOnly(change)) note(this.#advertisements, printKey(change.key));
    }, term);
    cluster.pools.subscribe((change) => {
      if (isStatusOnly(change)) return;
      this.#isPoolsChanged = true;
      tell();
    }, term);
    cluster.leases.subscribe(({ before, after }) => {
      const place = placeOf(after ?? before ?? {});
      if (place?.shard !== 0 || reportOf(before) === reportOf(after)) return;
      if (isTakenUp(before) !== isTakenUp(after)) this.#nodes.add(place.node);
      note(this.#reports, place.node);
    }, term);
    cluster.renewals.subscribe((node) => {
      this.#nodes.add(node);
      note(this.#reports, node);
    }, term);
    this.#noteAll();
  }

  #noteAll(): void {
    const cluster = this.#cluster;
    for (const service of cluster.services.values()) this.#services.add(printKey(keyOf(service)));
    for (const advertisement of cluster.advertisements.values())
      this.#advertisements.add(printKey(keyOf(advertisement)));
    for (const node of cluster.nodes.values()) this.#nodes.add(metadataOf(node).name);
    for (const name of this.#nodes) this.#reports.add(name);
    for (const lease of cluster.leases.values()) this.#remember(lease);
  }

  #remember(lease: Lease): void {
    const place = placeOf(lease);
    const plan = parsePlan(lease.metadata?.annotations?.[keys.plan] ?? "");
    if (place !== undefined && plan.ok) this.#planner.remember(place.node, plan.value);
  }

  /** Tells the planner all that is new since the last time. */
  flush(): void {
    if (this.#isPoolsChanged) this.#flushPools();
    for (const name of this.#nodes) this.#tellNode(name);
    for (const name of this.#reports) this.#tellReport(name);
    for (const key of this.#advertisements) this.#tellAdvertisement(key);
    for (const key of this.#services) this.#planner.setService(key, this.#announced(key));
    for (const told of [this.#nodes, this.#reports, this.#advertisements, this.#services]) told.clear();
  }

  /** The pools change with every address that is given, in what does not matter here. */
  #flushPools(): void {
    this.#isPoolsChanged = false;
    // What a pool gave before it became inert is announced as ever.
    const { usable, inert } = this.#cluster.usablePools();
    this.#planner.setPools(
      [...usable, ...inert].map((pool): AnnouncedPool => ({ ...pool, rebalance: this.#rebalanceOf(pool.key) })),
    );
    const index = new PoolIndex(usable, inert);
    if (index.equals(this.#pools)) return;
    this.#pools = index;
    for (const service of this.#cluster.services.values()) this.#services.add(printKey(keyOf(service)));
  }

  #rebalanceOf(pool: string): string | undefined {
    const found = this.#cluster.pools.get(parseKey(pool));
    return rebalanceOf(found === undefined ? undefined : metadataOf(found).annotations[keys.rebalance]);
  }

  #tellNode(name: string): void {
    const node = this.#cluster.nodes.get({ name });
    this.#planner.setNode(name, node === undefined ? undefined : planNode(node, this.#isRunning(name)));
  }

  #tellReport(name: string): void {
    const lease = this.#leaseOf(name);
    const status = parseStatus(lease?.metadata?.annotations?.[keys.status] ?? "");
    this.#planner.setReport(name, this.#isRunning(name) && status.ok ? status.value : undefined);
  }

  /** Whether an announcer runs on the node, as far as its Lease tells. */
  #isRunning(name: string): boolean {
    return isTakenUp(this.#leaseOf(name)) && !this.#cluster.renewals.isLost(name);
  }

  #leaseOf(node: string): Lease | undefined {
    return this.#cluster.leases.get({ namespace: keys.namespace, name: leaseName({ node, shard: 0 }) });
  }

  #tellAdvertisement(key: string): void {
    const found = this.#cluster.advertisements.get(parseKey(key));
    const parsed = found === undefined ? undefined : parseAdvertisement(found);
    this.#planner.setAdvertisement(key, parsed?.ok === true ? parsed.value : undefined);
  }

  #announced(key: string): AnnouncedService | undefined {
    const service = this.#cluster.services.get(parseKey(key));
    if (service === undefined || !isOurs(service)) return undefined;
    const addresses = annotatedAddresses(service) ?? [];
    const [pool = ""] = addresses.flatMap(
      (address) => this.#pools.find(address) ?? this.#cluster.inertPoolOf(address) ?? [],
    );
    return {
      ...serviceNameOf(service),
      labels: service.metadata?.labels ?? {},
      addresses,
      pool,
      externalTrafficPolicy: service.spec?.externalTrafficPolicy,
      endpoints: summarizeEndpoints(this.#slices.of(key)),
    };
  }
}

/** What a Lease says of its announcer; its renewals every few seconds are none of it. */
const reportOf = (lease: Lease | undefined): string =>
  JSON.stringify([lease?.metadata?.annotations?.[keys.status] ?? "", isTakenUp(lease)]);
