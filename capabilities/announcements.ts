/** Who speaks for which address: checks L2Advertisements, and keeps the plan in each node's Lease. */
import { Capability, type PeprValidateRequest } from "pepr";
import type { Cluster } from "../cluster/cluster.ts";
import { L2Advertisement } from "../cluster/crd.ts";
import { keepHelloKeys, rotationSeconds } from "../cluster/hello-keys.ts";
import { Queue } from "../cluster/queue.ts";
import { parseAdvertisement } from "../core/announce/advertisement.ts";
import { explain } from "../core/explain.ts";
import { keys } from "../core/keys.ts";
import { guarded } from "./guard.ts";
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
    guarded(reviewAdvertisement, (request) =>
      request.Deny(
        `L2Advertisement "${request.Request.name}" could not be checked; try again, and see the logs in pepr-system`,
      ),
    ),
  );
  binding.Reconcile((advertisement) => {
    cluster.advertisements.accept(advertisement);
  });
  return { capability, startWatching: () => startWatching(cluster) };
}

/** The answer to a request that creates or changes an advertisement. */
export function reviewAdvertisement(request: Request): ReturnType<Request["Approve"]> {
  const parsed = parseAdvertisement(request.Raw);
  return parsed.ok ? request.Approve() : request.Deny(explain(parsed.error));
}

/** Begins to plan, and to keep the keys by which announcers know each other. */
function startWatching(cluster: Cluster): Promise<void> {
  new Plans(cluster).start();
  const periodSeconds = rotationSeconds(process.env["BERTH_HELLO_KEY_DAYS"]);
  const helloKeys = new Queue({
    name: "hello keys",
    workers: 1,
    run: async () => {
      await keepHelloKeys(cluster.api, periodSeconds);
      return HELLO_KEYS_MILLIS;
    },
  });
  helloKeys.add(keys.helloSecret);
  helloKeys.start();
  return Promise.resolve();
}
