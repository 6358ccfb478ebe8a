/** Who speaks for which address: checks L2Advertisements, and keeps the plan in each node's Lease. */
import { Capability, type PeprValidateRequest } from "pepr";
import type { Cluster } from "../cluster/cluster.ts";
import { L2Advertisement } from "../cluster/crd.ts";
import { keepHelloKeys, rotationSeconds } from "../cluster/hello-keys.ts";
import { kinds } from "../cluster/kinds.ts";
import { listNow } from "../cluster/patience.ts";
import { Queue } from "../cluster/queue.ts";
import { choosable } from "../cluster/surroundings.ts";
import { parseAdvertisement, type Advertisement } from "../core/announce/advertisement.ts";
import { findGaps, type AdvertisementGap } from "../core/announce/gaps.ts";
import type { HelloKeys } from "../core/announce/hello-keys.ts";
import { explain } from "../core/explain.ts";
import { keys } from "../core/keys.ts";
import { guarded, type Answer } from "./guard.ts";
import type { Part } from "./part.ts";
import { Plans } from "./plans.ts";

type Request = PeprValidateRequest<L2Advertisement>;

/** How often it is seen to that the keys of the announcers are there and not too old, in milliseconds. */
const HELLO_KEYS_MILLIS = 60_000;

/** The capability, and the watcher's work on the plan. */
export function announcements(cluster: Cluster): Part {
  const capability = new Capability({
    name: "announcements",
    description: "Plans which nodes answer for which addresses.",
  });
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
  });
  return { capability, lead: (term) => lead(cluster, term) };
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
  return findGaps(advertisement, { ...known, pools: choosable(await listNow(api, kinds.pools, pools)) });
}

/** Begins to plan, and to keep the keys by which announcers know each other; until the signal. */
function lead(cluster: Cluster, term: AbortSignal): Promise<void> {
  new Plans(cluster, term).start();
  const periodSeconds = rotationSeconds(process.env["BERTH_HELLO_KEY_DAYS"]);
  let known: HelloKeys = {};
  const helloKeys = new Queue({
    name: "hello keys",
    workers: 1,
    run: async () => {
      known = await keepHelloKeys(cluster.api, periodSeconds, known);
      return HELLO_KEYS_MILLIS;
    },
  });
  helloKeys.start(term);
  helloKeys.add(keys.helloSecret);
  return Promise.resolve();
}
