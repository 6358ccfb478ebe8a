/** Brings one Service's annotations, status, Events and claims in line with what it asks for and is stored. */
import { adoptAddresses, claimAddresses, requestOf, type ServiceRefusal } from "../cluster/claims.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { keptAddresses } from "../cluster/kept.ts";
import { keyOf, printKey, type ObjectKey, type Service, type ServiceCondition } from "../cluster/kinds.ts";
import type { Again } from "../cluster/queue.ts";
import {
  ageKey,
  annotatedAddresses,
  isOurs,
  listedAddresses,
  serviceNameOf,
  statusAddresses,
} from "../cluster/read.ts";
import { releaseUnneeded } from "../cluster/release.ts";
import {
  annotationsFor,
  clearedStatus,
  isSaid,
  statusChange,
  writeAnnotations,
  writeEvent,
  writeStatus,
  type Wanted,
} from "../cluster/write.ts";
import { printAddress, sameAddress, type Address } from "../core/address/address.ts";
import type { Allocation } from "../core/allocation/allocate.ts";
import { stayingWith } from "../core/allocation/refusal.ts";
import { announcedCondition } from "../core/explain/announced.ts";
import { keys } from "../core/keys.ts";
import type { Result } from "../core/result.ts";
import { describeAssigned, occurrencesOf, type Outcome } from "./occurrences.ts";

/** Whether the Service waits for an address, for one of its other family, or for another than it goes on with. */
export function lacksAddress(service: Service): boolean {
  if (!isOurs(service)) return false;
  const { ipFamilyPolicy, clusterIPs = [] } = service.spec ?? {};
  const count = annotatedAddresses(service)?.length ?? 0;
  const wanted = ipFamilyPolicy === "PreferDualStack" ? clusterIPs.length : 1;
  return count < Math.max(1, wanted) || (service.status?.conditions ?? []).some(isRefusal);
}

const isRefusal = ({ type, reason }: ServiceCondition): boolean =>
  type === keys.addressAssigned && reason !== keys.assigned;

/** Does what is to be done for one Service, whether it exists or not; says when to look again. */
export async function reconcileService(key: ObjectKey, cluster: Cluster): Promise<Again> {
  const service = cluster.services.get(key);
  const lingers = service === undefined ? [] : listedAddresses(service).map((one) => cluster.lingerMillis(one));
  const lingerMillis = Math.max(0, ...lingers);
  if (lingerMillis > 0) return lingerMillis;
  if (service !== undefined && isOurs(service)) await serve(service, cluster);
  else if (service !== undefined) await stopServing(service, cluster);
  return releaseUnneeded(key, cluster);
}

async function serve(service: Service, cluster: Cluster): Promise<void> {
  const choice = await claimAddresses(service, cluster, { isDryRun: false });
  const outcome = await outcomeOf(service, choice, cluster);
  const annotated = await annotate(service, outcome, cluster);
  const assigned = describeAssigned(outcome);
  const change = statusChange(annotated, outcome.shown, [assigned, ...describeAnnounced(service, outcome, cluster)]);
  if (change === undefined) return;
  cluster.services.accept(await writeStatus(cluster.api, annotated, change));
  if (isSaid(annotated, assigned)) return;
  for (const occurrence of occurrencesOf(service, outcome)) await writeEvent(cluster.api, service, occurrence);
}

/**
 * What is to be said of the announcement, if anything: what the plan says, once there is one. A new Service has no endpoint
 * yet, and the plan will hardly say anything else: said at once, it is no write of its own.
 */
function describeAnnounced(service: Service, { addresses, pool }: Outcome, cluster: Cluster): readonly Wanted[] {
  const [first] = addresses;
  if (first === undefined) return [{ type: keys.announced, says: undefined }];
  const says = cluster.announced.get(printKey(keyOf(service)));
  if (says !== undefined) return [{ type: keys.announced, says }];
  const isTold = (service.status?.conditions ?? []).some(({ type }) => type === keys.announced);
  if (isTold) return [];
  const problem = { reason: "noEndpoints", ip: printAddress(first), pool: pool ?? "", nodes: [] } as const;
  const guess = { kind: "notAnnounced", problem: { service: serviceNameOf(service), ...problem } } as const;
  return [{ type: keys.announced, says: announcedCondition(guess) }];
}

async function outcomeOf(
  service: Service,
  choice: Result<Allocation, ServiceRefusal>,
  cluster: Cluster,
): Promise<Outcome> {
  if (choice.ok) {
    const { addresses, pool } = choice.value;
    return { addresses, pool, shown: addresses, refusal: undefined };
  }
  // Whose status says what another Service holds is told so; what was there before Berth is not Berth's to take away.
  if (choice.error.kind === "addressDoubled") {
    return { addresses: [], pool: undefined, shown: statusAddresses(service), refusal: choice.error };
  }
  const addresses = await keep(service, goesOnWith(service, choice.error, cluster), cluster);
  const [first] = addresses;
  const pool = first === undefined ? undefined : (cluster.poolOf(first)?.key ?? cluster.inertPoolOf(first));
  return { addresses, pool, shown: addresses, refusal: choice.error };
}

/**
 * What it may keep. One that asks for nothing else than what no usable pool has keeps what a usable one has beside that, and
 * gives up a family that it wants no more.
 */
function goesOnWith(service: Service, refusal: ServiceRefusal, cluster: Cluster): readonly Address[] {
  const request = stayingWith(refusal) === undefined ? undefined : requestOf(service, cluster);
  return keptAddresses(service, cluster, request?.ok === true ? request.value.families : undefined);
}

/** What a Service that can't be served as it asks goes on with: of the addresses that it has and may have, those claimed. */
async function keep(service: Service, current: readonly Address[], cluster: Cluster): Promise<readonly Address[]> {
  await adoptAddresses(service, current, cluster);
  const held = cluster.ledger.occupancy.addressesOf(serviceNameOf(service));
  return current.filter((address) => held.some((one) => sameAddress(one, address)));
}

async function annotate(service: Service, { addresses, pool }: Outcome, cluster: Cluster): Promise<Service> {
  const wanted = annotationsFor(addresses, pool === undefined ? undefined : cluster.nameOfPool(pool));
  const annotations = service.metadata?.annotations ?? {};
  const isSame = Object.entries(wanted).every(([name, value]) => (annotations[name] ?? null) === value);
  if (isSame) return service;
  const written = await writeAnnotations(cluster.api, service, wanted);
  cluster.services.accept(written);
  return written;
}

/** A Service that is Berth's no longer: its type or class has changed, and Mutate may have stripped it already. */
async function stopServing(service: Service, cluster: Cluster): Promise<void> {
  const isAnnotated = annotatedAddresses(service) !== undefined;
  const stripped = isAnnotated ? await writeAnnotations(cluster.api, service, annotationsFor([], undefined)) : service;
  cluster.services.accept(stripped);
  const status = clearedStatus(stripped);
  if (status !== undefined) cluster.services.accept(await writeStatus(cluster.api, stripped, status));
}

/** Claims every address that a Service of Berth's has already, the oldest Service first. */
export async function adoptAll(cluster: Cluster): Promise<void> {
  const holders = [...cluster.services.values()].filter(
    (service) => isOurs(service) && listedAddresses(service).length > 0,
  );
  const inOrder = holders.toSorted((left, right) => (ageKey(left) < ageKey(right) ? -1 : 1));
  for (const service of inOrder) await adoptAddresses(service, listedAddresses(service), cluster);
}
