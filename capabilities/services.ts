/**
 * LoadBalancer Services: Mutate assigns, Validate refuses in words. What Reconcile is elsewhere, the cache's changes are here:
 * Pepr's own watch would keep every Service in memory once more.
 */
import { a, Capability } from "pepr";
import type { Cluster } from "../cluster/cluster.ts";
import type { IPAddressPool } from "../cluster/crd.ts";
import {
  keyOf,
  metadataOf,
  parseKey,
  printKey,
  type IPAddress,
  type Namespace,
  type Node,
  type Service,
} from "../cluster/kinds.ts";
import { mendOrRelease } from "../cluster/mend.ts";
import { Queue } from "../cluster/queue.ts";
import {
  annotatedAddresses,
  claimantsOf,
  isDamaged,
  isOurs,
  nodeAddresses,
  pluginAddresses,
  podGateways,
  statusAddresses,
} from "../cluster/read.ts";
import { clearedStatus } from "../cluster/write.ts";
import { printAddress } from "../core/address/address.ts";
import { keys } from "../core/keys.ts";
import { assign } from "./assign.ts";
import { guarded } from "./guard.ts";
import type { Part } from "./part.ts";
import { adoptAll, lacksAddress, reconcileService } from "./reconcile.ts";
import { review } from "./review.ts";

/** The key that stands for every Service that waits for an address. */
const WAITING = "*";
/** The key that stands for every Service that there is or that a claim names. */
const EVERY = "**";
/** Keys of the queue begin with this where they name a claim that is to be mended. */
const OF_CLAIM = "ip ";
/** How often all of them are looked at although nothing was heard, in milliseconds. */
const SWEEP_MILLIS = 600_000;
/** Pause in which claims that go gather before those who wait are looked at, in milliseconds. */
const GATHER_MILLIS = 20;
/** Services that are reconciled at the same time. */
const WORKERS = 8;

/** The capability, and the watcher's work on Services. */
export function services(cluster: Cluster): Part {
  const capability = new Capability({
    name: "services",
    description: "Gives LoadBalancer Services their addresses.",
  });
  const waiting = new Set<string>();
  const queue: Queue = new Queue({
    name: "services",
    workers: WORKERS,
    run: (key) => {
      if (key === WAITING) return runWaiting(waiting, queue);
      if (key === EVERY) return sweep(cluster, queue);
      if (key.startsWith(OF_CLAIM)) return mendOrRelease({ name: key.slice(OF_CLAIM.length) }, cluster);
      return reconcileService(parseKey(key), cluster);
    },
  });
  const binding = capability.When(a.Service).IsCreatedOrUpdated();
  binding.Mutate((request) => assign(request, cluster));
  binding.Validate(
    guarded(
      (request) => review(request, cluster),
      // The Service is admitted as if the webhook had been unreachable; the watcher assigns.
      (request) =>
        request.Approve([
          `Service "${request.Request.name}" could not be checked; see kubectl describe for its address`,
        ]),
    ),
  );
  return { capability, lead: (term) => lead(cluster, { queue, waiting }, term) };
}

/** What is to be done, and the keys of the Services that wait for an address. */
type Work = { readonly queue: Queue; readonly waiting: Set<string> };

async function lead(cluster: Cluster, { queue, waiting }: Work, term: AbortSignal): Promise<void> {
  await adoptAll(cluster);
  queue.start(term);
  waiting.clear();
  for (const service of cluster.services.values()) if (lacksAddress(service)) waiting.add(printKey(keyOf(service)));
  cluster.services.subscribe(({ key, before, after }) => {
    if (foreignStatus(before) !== foreignStatus(after)) queue.add(WAITING, GATHER_MILLIS);
    if (after !== undefined && lacksAddress(after)) waiting.add(printKey(key));
    else waiting.delete(printKey(key));
    queue.add(printKey(key));
  }, term);
  cluster.claims.subscribe(({ before, after }) => {
    for (const claim of [before, after]) {
      for (const service of claim === undefined ? [] : claimantsOf(claim)) queue.add(printKey(service));
    }
    if (after !== undefined && isDamaged(after)) queue.add(mending(after));
    // Somebody may come in where a sharer has left or has changed its ports.
    if (after === undefined || sharersOf(after) !== sharersOf(before)) queue.add(WAITING, GATHER_MILLIS);
  }, term);
  cluster.announced.subscribe((key) => {
    queue.add(key);
  }, term);
  onSupplyChange(cluster, term, () => {
    queue.add(EVERY, GATHER_MILLIS);
  });
  queue.add(EVERY);
}

/** Calls back when what addresses are given from, or to whom, may be another: not for each sign of life of a node. */
function onSupplyChange(cluster: Cluster, term: AbortSignal, changed: () => void): void {
  cluster.pools.subscribe(({ before, after }) => {
    if (supplyPart(before) !== supplyPart(after)) changed();
  }, term);
  cluster.namespaces.subscribe(({ before, after }) => {
    if (labelsOf(before) !== labelsOf(after)) changed();
  }, term);
  cluster.nodes.subscribe(({ before, after }) => {
    if (addressesOf(before) !== addressesOf(after)) changed();
  }, term);
}

/** The addresses in a status that is not Berth's: they are held without a claim. */
const foreignStatus = (service: Service | undefined): string =>
  service === undefined || isOurs(service) ? "" : statusAddresses(service).map(printAddress).join();
const sharersOf = (claim: IPAddress | undefined): string | undefined =>
  claim?.metadata?.annotations?.[keys.claimSharers];
const supplyPart = (pool: IPAddressPool | undefined): string =>
  JSON.stringify([pool?.spec, pool === undefined ? undefined : metadataOf(pool).annotations]);
const labelsOf = (namespace: Namespace | undefined): string => JSON.stringify(namespace?.metadata?.labels);
const addressesOf = (node: Node | undefined): string =>
  node === undefined
    ? ""
    : [nodeAddresses, pluginAddresses, podGateways].flatMap((read) => read(node).map(printAddress)).join();

/**
 * Services that are Berth's or were, as what is left on them tells, and those that claims name and that may be gone: a
 * sweep over them mends whatever is out of line.
 */
function knownServices(cluster: Cluster): ReadonlySet<string> {
  const ours = [...cluster.services.values()].filter((one) => isOurs(one) || bearsTraces(one));
  const claimed = [...cluster.claims.values()].flatMap((claim) => claimantsOf(claim).map(printKey));
  return new Set([...ours.map((service) => printKey(keyOf(service))), ...claimed]);
}

/** Whether something of Berth's stands on the Service. */
const bearsTraces = (service: Service): boolean =>
  annotatedAddresses(service) !== undefined || clearedStatus(service) !== undefined;

/** Claims go by the thousand, each of them brings this about: so it asks for no more than those who wait. */
function runWaiting(waiting: ReadonlySet<string>, queue: Queue): Promise<undefined> {
  for (const key of waiting) queue.add(key);
  return Promise.resolve(undefined);
}

const mending = (claim: IPAddress): string => OF_CLAIM + metadataOf(claim).name;

function sweep(cluster: Cluster, queue: Queue): Promise<number> {
  for (const claim of cluster.claims.values()) if (isDamaged(claim)) queue.add(mending(claim));
  for (const key of knownServices(cluster)) queue.add(key);
  return Promise.resolve(SWEEP_MILLIS);
}
