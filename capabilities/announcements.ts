/** Who speaks for which address: checks L2Advertisements, and keeps the plan in each node's Lease. */
import { Capability, type PeprValidateRequest } from "pepr";
import { isStatusOnly } from "../cluster/cache.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { L2Advertisement } from "../cluster/crd.ts";
import { kinds, type Lease } from "../cluster/kinds.ts";
import { Queue } from "../cluster/queue.ts";
import { choosable } from "../cluster/surroundings.ts";
import { parseAdvertisement, type Advertisement } from "../core/announce/advertisement.ts";
import { findGaps, type AdvertisementGap } from "../core/announce/gaps.ts";
import { explain } from "../core/explain.ts";
import { keys } from "../core/keys.ts";
import { guarded, type Answer } from "./guard.ts";
import type { Part } from "./part.ts";
import { writePlans } from "./plans.ts";

type Request = PeprValidateRequest<L2Advertisement>;

/** The one key of the queue: the plan is made as a whole. */
const PLAN = "plan";
/** Pause in which changes gather before the plan is made anew, in milliseconds. */
const GATHER_MILLIS = 20;

/** The capability, and the watcher's work on the plan. */
export function announcements(cluster: Cluster): Part {
  const capability = new Capability({
    name: "announcements",
    description: "Plans which nodes answer for which addresses.",
  });
  const queue = new Queue({ name: "announcements", workers: 1, run: () => writePlans(cluster) });
  const again = (): void => {
    queue.add(PLAN, GATHER_MILLIS);
  };
  const binding = capability.When(L2Advertisement).IsCreatedOrUpdated();
  binding.Validate(
    guarded(
      (request) => reviewAdvertisement(request, cluster),
      (request) =>
        request.Deny(
          `L2Advertisement "${request.Request.name}" could not be checked; try again, and see the logs in pepr-system`,
        ),
    ),
  );
  binding.Reconcile((advertisement) => {
    cluster.advertisements.accept(advertisement);
    again();
  });
  return { capability, lead: (term) => lead(cluster, { queue, again }, term) };
}

/**
 * The answer to a request that creates or changes an advertisement. Pools and nodes that are not there yet are a
 * Warning, and so is a fault that the stored form has too: the change is not about it.
 */
export async function reviewAdvertisement(request: Request, cluster: Cluster): Promise<Answer> {
  const parsed = parseAdvertisement(request.Raw);
  if (parsed.ok) return request.Approve((await gapsOf(parsed.value, cluster)).map(explain));
  const fault = explain(parsed.error);
  const stored = request.OldResource ? parseAdvertisement(request.OldResource) : undefined; // null on a create
  const isKnown = stored?.ok === false && explain(stored.error) === fault;
  return isKnown ? request.Approve([fault]) : request.Deny(fault);
}

/** What the advertisement misses; the cache may not have heard of a pool that was made a moment ago. */
async function gapsOf(
  advertisement: Advertisement,
  { api, pools, nodes }: Cluster,
): Promise<readonly AdvertisementGap[]> {
  const known = { pools: choosable(pools.values()), nodes: choosable(nodes.values()) };
  const gaps = findGaps(advertisement, known);
  if (gaps.length === 0) return gaps;
  return findGaps(advertisement, { ...known, pools: choosable((await api.list(kinds.pools)).items) });
}

/** What the plan depends on in a Lease; its renewals every few seconds are none of it. */
const planningPart = (lease: Lease | undefined): string =>
  JSON.stringify([lease?.metadata?.annotations?.[keys.plan], (lease?.spec?.holderIdentity ?? "") !== ""]);

type Work = { readonly queue: Queue; readonly again: () => void };

function lead(cluster: Cluster, { queue, again }: Work, term: AbortSignal): Promise<void> {
  cluster.services.subscribe(again, term);
  for (const cache of [cluster.pools, cluster.advertisements]) {
    cache.subscribe((change) => {
      if (!isStatusOnly(change)) again();
    }, term);
  }
  cluster.nodes.subscribe(again, term);
  cluster.endpointSlices.subscribe(again, term);
  cluster.leases.subscribe(({ before, after }) => {
    if (planningPart(before) !== planningPart(after)) again();
  }, term);
  queue.start(term);
  queue.add(PLAN);
  return Promise.resolve();
}
