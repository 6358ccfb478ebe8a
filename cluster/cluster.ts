/** What this process knows of the cluster. Reads and remembers, decides nothing, writes nothing. */
import { printAddress, sameAddress, type Address } from "../core/address/address.ts";
import { rangesContain } from "../core/address/range.ts";
import type { Pool } from "../core/pool/pool.ts";
import type { Supply } from "../core/allocation/supply.ts";
import type { ClusterFacts } from "../core/allocation/request.ts";
import type { Labels } from "../core/labels.ts";
import type { Served } from "../core/pool/serve.ts";
import { findAnchor, type Origin } from "../core/allocation/keep.ts";
import { usablePools, type UsablePools } from "../core/pool/overlap.ts";
import { AnnouncedStore } from "./announced.ts";
import type { Api } from "./api.ts";
import { Cache, isStatusOnly, type Change } from "./cache.ts";
import { Contention } from "./contention.ts";
import { keys } from "../core/keys.ts";
import { History } from "./history.ts";
import type { IPAddressPool, L2Advertisement, ServiceL2Status } from "./crd.ts";
import {
  kinds,
  metadataOf,
  printKey,
  type ApiObject,
  type EndpointSlice,
  type IPAddress,
  type Kind,
  type Lease,
  type Namespace,
  type Node,
  type ObjectKey,
  type Service,
  type ServiceCIDR,
} from "./kinds.ts";
import { Ledger } from "./ledger.ts";
import { feedLedger } from "./ledger-feed.ts";
import {
  claimantsOf,
  clusterFacts,
  isAdoptedClaim,
  isOfNoPool,
  isOurClaim,
  isUntouched,
  statusAddresses,
} from "./read.ts";
import { reflect } from "./reflector.ts";
import { Renewals } from "./renewals.ts";

/** Which process this is: Pepr runs one module as admission pods and as a watcher. */
export type Role = "admission" | "watcher";

/** Milliseconds by a clock that never jumps. */
export type Clock = () => number;

/** How long a pool may be away before its Services are given addresses of another, in milliseconds. */
const POOL_LINGER_MILLIS = 3_000;

/** Caches of all kinds, and what follows from them. */
export class Cluster {
  readonly api: Api;
  readonly services = new Cache<Service>();
  readonly claims = new Cache<IPAddress>();
  readonly pools = new Cache<IPAddressPool>();
  readonly namespaces = new Cache<Namespace>();
  readonly serviceCIDRs = new Cache<ServiceCIDR>();
  readonly nodes = new Cache<Node>();
  readonly advertisements = new Cache<L2Advertisement>();
  readonly endpointSlices = new Cache<EndpointSlice>();
  readonly leases = new Cache<Lease>();
  readonly l2Statuses = new Cache<ServiceL2Status>();
  /** Whether each Service is announced; the watcher's work on the plan fills it. */
  readonly announced = new AnnouncedStore();
  /** Which announcers have died without a word. */
  readonly renewals: Renewals;
  readonly ledger = new Ledger();
  readonly history: History;
  readonly contention: Contention;
  readonly #claimsByService = new Map<string, Map<string, IPAddress>>();
  readonly #clock: Clock;
  #usable: UsablePools | undefined;
  #poolsChangedMillis = -Infinity;

  constructor(api: Api, clock: Clock = () => performance.now(), random: () => number = Math.random) {
    this.api = api;
    this.#clock = clock;
    this.history = new History(clock);
    this.renewals = new Renewals(this.leases, clock);
    this.contention = new Contention(clock, random);
    this.pools.subscribe((change) => {
      if (isStatusOnly(change)) return;
      this.#usable = undefined;
      if (change.before !== undefined) this.#poolsChangedMillis = clock();
    });
    this.services.subscribe((change) => {
      this.history.onService(change);
    });
    this.claims.subscribe((change) => {
      this.history.onClaim(change);
      this.#indexClaim(change);
    });
    feedLedger(this);
  }

  /** Reads everything that the role needs and keeps it fresh until the signal; resolves once all was read. */
  async start(role: Role, signal: AbortSignal): Promise<void> {
    const follow = async <T extends ApiObject>(kind: Kind<T>, cache: Cache<T>, namespace?: string): Promise<void> => {
      void reflect(this.api, kind, { cache, namespace, signal });
      await cache.synced;
    };
    const forChoosing = [
      follow(kinds.services, this.services),
      follow(kinds.claims, this.claims),
      follow(kinds.pools, this.pools),
      follow(kinds.namespaces, this.namespaces),
      follow(kinds.serviceCIDRs, this.serviceCIDRs),
      follow(kinds.nodes, this.nodes),
    ];
    const forPlanning = [
      () => follow(kinds.advertisements, this.advertisements),
      () => follow(kinds.endpointSlices, this.endpointSlices),
      () => follow(kinds.leases, this.leases, keys.namespace),
      () => follow(kinds.l2Statuses, this.l2Statuses, keys.namespace),
    ];
    await Promise.all([...forChoosing, ...(role === "watcher" ? forPlanning.map((begin) => begin()) : [])]);
  }

  /** The pools that count, and those that do not, with the reason. */
  usablePools(): UsablePools {
    this.#usable ??= usablePools([...this.pools.values()]);
    return this.#usable;
  }

  /** What addresses are chosen from. */
  supply(): Supply {
    const { usable, inert } = this.usablePools();
    return { pools: usable, inert, occupancy: this.ledger.occupancy, anyPool: this.pools.size > 0 };
  }

  /** The same for who is about to claim them, out of the way of other processes where these do so too. */
  contendedSupply(): Supply {
    return { ...this.supply(), lane: this.contention.lane() };
  }

  /** The usable pool that holds the address. */
  poolOf(address: Address): Pool | undefined {
    return this.usablePools().usable.find(({ ranges }) => rangesContain(ranges, address));
  }

  /**
   * For how many milliseconds nothing is to be concluded yet from the address being of no pool; 0 or less where it is of
   * one, or has long been of none. A pool that is taken away and put back under another name, or split, moves nobody.
   */
  lingerMillis(address: Address): number {
    if (this.poolOf(address) !== undefined) return 0;
    return this.#poolsChangedMillis + POOL_LINGER_MILLIS - this.#clock();
  }

  /** The pool that the address was claimed from, as namespace/name; empty where its claim does not say. */
  claimedFrom(address: Address): string {
    const claim = this.claims.get({ name: printAddress(address) });
    const { labels } = metadataOf(claim ?? {});
    const [namespace, name] = [labels[keys.claimPoolNamespace], labels[keys.claimPool]];
    return namespace === undefined || name === undefined ? "" : `${namespace}/${name}`;
  }

  /** The pool, as namespace/name, that has the address and gives nothing, where no usable one has it. */
  inertPoolOf(address: Address): string | undefined {
    const anchor = findAnchor(
      { address, claimedFrom: this.claimedFrom(address), isAdopted: false },
      this.usablePools(),
    );
    return anchor?.kind === "inert" ? anchor.pool.key : undefined;
  }

  /** A pool by its name alone, as MetalLB names it, unless another namespace has one of that name. */
  nameOfPool(key: string): string {
    const { usable, inert } = this.usablePools();
    const name = key.slice(key.indexOf("/") + 1);
    return [...usable, ...inert].some((pool) => pool.name === name && pool.key !== key) ? key : name;
  }

  /** What the claim of an address says of where it is from. */
  originOf(address: Address): Origin {
    const claim = this.claims.get({ name: printAddress(address) });
    const isAdopted = claim !== undefined && isOurClaim(claim) && isAdoptedClaim(claim);
    return { claimedFrom: this.claimedFrom(address), isAdopted };
  }

  /**
   * Whether the Service had this address of its before Berth, when no pool had it. Without a claim the Service shows it, by
   * its status too: the annotation alone may be of whoever wrote the Service where admission did not see it.
   */
  isAdopted(address: Address, service: Service): boolean {
    if (this.claims.get({ name: printAddress(address) }) !== undefined) return this.originOf(address).isAdopted;
    const isShown = statusAddresses(service).some((one) => sameAddress(one, address));
    return isShown && (isUntouched(service) || isOfNoPool(service));
  }

  /** The families of the cluster's Service addresses. */
  facts(): ClusterFacts {
    return clusterFacts(this.serviceCIDRs.get({ name: "kubernetes" }));
  }

  /** The labels of a namespace; none where it is not known yet. */
  namespaceLabels(name: string): Labels {
    return this.namespaces.get({ name })?.metadata?.labels ?? {};
  }

  /** By what pools decide whether they may serve the Service. */
  servedAs(service: Service): Served {
    const { labels, namespace } = metadataOf(service);
    return { labels, namespace, namespaceLabels: this.namespaceLabels(namespace) };
  }

  /** Berth's claims in the name of a Service, also those on addresses that something else has come to hold. */
  claimsOf(service: ObjectKey): readonly IPAddress[] {
    return [...(this.#claimsByService.get(printKey(service))?.values() ?? [])];
  }

  #indexClaim({ before, after }: Change<IPAddress>): void {
    if (before !== undefined) this.#unindexClaim(before);
    for (const service of after === undefined ? [] : claimantsOf(after).map(printKey)) {
      const claims = this.#claimsByService.get(service) ?? new Map<string, IPAddress>();
      if (after !== undefined) this.#claimsByService.set(service, claims.set(metadataOf(after).name, after));
    }
  }

  #unindexClaim(claim: IPAddress): void {
    for (const service of claimantsOf(claim).map(printKey)) {
      const claims = this.#claimsByService.get(service);
      claims?.delete(metadataOf(claim).name);
      if (claims?.size === 0) this.#claimsByService.delete(service);
    }
  }
}
