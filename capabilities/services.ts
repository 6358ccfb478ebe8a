/** LoadBalancer Services: Mutate assigns, Validate refuses in words, Reconcile writes status. */
import { a, Capability } from "pepr";
import { isStatusOnly } from "../cluster/cache.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { keyOf, parseKey, printKey } from "../cluster/kinds.ts";
import { Queue } from "../cluster/queue.ts";
import { claimantOf, isOurClaim, isOurs } from "../cluster/read.ts";
import { assign } from "./assign.ts";
import { guarded } from "./guard.ts";
import type { Part } from "./part.ts";
import { adoptAll, lacksAddress, reconcileService } from "./reconcile.ts";
import { review } from "./review.ts";

/** The key that stands for every Service that waits for an address. */
const WAITING = "*";
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
    run: (key) => (key === WAITING ? runWaiting(cluster, queue) : reconcileService(parseKey(key), cluster)),
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
    const claim = after ?? before;
    if (claim !== undefined && isOurClaim(claim)) queue.add(printKey(claimantOf(claim)));
    if (after === undefined) queue.add(WAITING);
  });
  cluster.pools.subscribe((change) => {
    if (!isStatusOnly(change)) queue.add(WAITING);
  });
  for (const cache of [cluster.namespaces, cluster.nodes]) {
    cache.subscribe(() => {
      queue.add(WAITING);
    });
  }
  for (const key of knownServices(cluster)) queue.add(key);
  queue.start();
}

/** Services of Berth's, and those that claims name and that may be gone. */
function knownServices(cluster: Cluster): ReadonlySet<string> {
  const ours = [...cluster.services.values()].filter(isOurs).map((service) => printKey(keyOf(service)));
  const claimed = [...cluster.claims.values()].filter(isOurClaim).map((claim) => printKey(claimantOf(claim)));
  return new Set([...ours, ...claimed]);
}

function runWaiting(cluster: Cluster, queue: Queue): Promise<undefined> {
  for (const service of cluster.services.values()) {
    if (lacksAddress(service)) queue.add(printKey(keyOf(service)));
  }
  return Promise.resolve(undefined);
}
