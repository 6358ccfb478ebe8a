/** LoadBalancer Services: Mutate assigns, Validate refuses in words, Reconcile writes status. */
import { a, Capability } from "pepr";
import type { Cluster } from "../cluster/cluster.ts";
import type { IPAddressPool } from "../cluster/crd.ts";
import { keyOf, metadataOf, parseKey, printKey, type IPAddress, type Namespace, type Node } from "../cluster/kinds.ts";
import { Queue } from "../cluster/queue.ts";
import { claimantsOf, isOurs, nodeAddresses, pluginAddresses, podGateways } from "../cluster/read.ts";
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
/** How often all of them are looked at although nothing was heard, in milliseconds. */
const SWEEP_MILLIS = 600_000;
/** How long a pool may be away before its Services are given addresses of another, in milliseconds. */
const POOL_LINGER_MILLIS = 3_000;
/** Services that are reconciled at the same time. */
const WORKERS = 8;

/** The capability, and the watcher's work on Services. */
export function services(cluster: Cluster): Part {
  const capability = new Capability({
    name: "services",
    description: "Gives LoadBalancer Services their addresses.",
  });
  const queue: Queue = new Queue({
    name: "services",
    workers: WORKERS,
    run: (key) => {
      if (key === WAITING) return runWaiting(cluster, queue);
      return key === EVERY ? sweep(cluster, queue) : reconcileService(parseKey(key), cluster);
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
  binding.Reconcile((service) => {
    cluster.services.accept(service);
    queue.add(printKey(keyOf(service)));
  });
  return { capability, startWatching: () => startWatching(cluster, queue) };
}

async function startWatching(cluster: Cluster, queue: Queue): Promise<void> {
  await adoptAll(cluster);
  cluster.services.subscribe(({ key }) => {
    queue.add(printKey(key));
  });
  cluster.claims.subscribe(({ before, after }) => {
    for (const claim of [before, after]) {
      for (const service of claim === undefined ? [] : claimantsOf(claim)) queue.add(printKey(service));
    }
    // Somebody may come in where a sharer has left or has changed its ports.
    if (after === undefined || sharersOf(after) !== sharersOf(before)) queue.add(WAITING);
  });
  onSupplyChange(cluster, () => {
    queue.add(WAITING);
    // A pool that is taken away and put back at once, as when it is renamed, moves nobody.
    queue.add(EVERY, POOL_LINGER_MILLIS);
  });
  queue.add(EVERY);
  queue.start();
}

/** Calls back when what addresses are given from, or to whom, may be another: not for each sign of life of a node. */
function onSupplyChange(cluster: Cluster, changed: () => void): void {
  cluster.pools.subscribe(({ before, after }) => {
    if (supplyPart(before) !== supplyPart(after)) changed();
  });
  cluster.namespaces.subscribe(({ before, after }) => {
    if (labelsOf(before) !== labelsOf(after)) changed();
  });
  cluster.nodes.subscribe(({ before, after }) => {
    if (addressesOf(before) !== addressesOf(after)) changed();
  });
}

const sharersOf = (claim: IPAddress | undefined): string | undefined =>
  claim?.metadata?.annotations?.[keys.claimSharers];
const supplyPart = (pool: IPAddressPool | undefined): string =>
  JSON.stringify([pool?.spec, pool === undefined ? undefined : metadataOf(pool).annotations]);
const labelsOf = (namespace: Namespace | undefined): string => JSON.stringify(namespace?.metadata?.labels);
const addressesOf = (node: Node | undefined): string =>
  node === undefined
    ? ""
    : [nodeAddresses, pluginAddresses, podGateways].flatMap((read) => read(node).map(printAddress)).join();

/** Services of Berth's, and those that claims name and that may be gone: a sweep over them mends whatever is out of line. */
function knownServices(cluster: Cluster): ReadonlySet<string> {
  const ours = [...cluster.services.values()].filter(isOurs).map((service) => printKey(keyOf(service)));
  const claimed = [...cluster.claims.values()].flatMap((claim) => claimantsOf(claim).map(printKey));
  return new Set([...ours, ...claimed]);
}

function runWaiting(cluster: Cluster, queue: Queue): Promise<undefined> {
  for (const service of cluster.services.values()) {
    if (lacksAddress(service)) queue.add(printKey(keyOf(service)));
  }
  return Promise.resolve(undefined);
}

function sweep(cluster: Cluster, queue: Queue): Promise<number> {
  for (const key of knownServices(cluster)) queue.add(key);
  return Promise.resolve(SWEEP_MILLIS);
}
