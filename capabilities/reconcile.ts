/** Reconcile: brings one Service's annotation, status, Events and claims in line with what it asks for and is stored. */
import { adoptAddresses, claimAddresses, releaseClaim, type ServiceRefusal } from "../cluster/claims.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { printKey, type ObjectKey, type Service } from "../cluster/kinds.ts";
import type { Again } from "../cluster/queue.ts";
import { annotatedAddresses, isOurs, serviceNameOf, statusAddresses } from "../cluster/read.ts";
import {
  clearedStatus,
  statusChange,
  writeAnnotation,
  writeEvent,
  writeStatus,
  type Assigned,
  type Occurrence,
} from "../cluster/write.ts";
import { printAddress, sameAddress, type Address } from "../core/address/address.ts";
import type { Allocation } from "../core/allocation/allocate.ts";
import { releaseInMillis } from "../core/allocation/release.ts";
import { explain } from "../core/explain.ts";
import type { Result } from "../core/result.ts";

/** Whether the Service waits for an address. */
export const lacksAddress = (service: Service): boolean =>
  isOurs(service) && (annotatedAddresses(service) ?? []).length === 0;

/** Does what is to be done for one Service, whether it exists or not; says when to look again. */
export async function reconcileService(key: ObjectKey, cluster: Cluster): Promise<Again> {
  const service = cluster.services.get(key);
  if (service !== undefined && isOurs(service)) await serve(service, cluster);
  else if (service !== undefined) await stopServing(service, cluster);
  return release(key, cluster);
}

async function serve(service: Service, cluster: Cluster): Promise<void> {
  const choice = await claimAddresses(service, cluster, { isDryRun: false, isAdmission: false });
  const addresses = choice.ok ? choice.value.addresses : await keptAddresses(service, cluster);
  const annotated = await annotate(service, addresses, cluster);
  const assigned = describe(choice, addresses);
  const status = statusChange(annotated, addresses, assigned);
  if (status === undefined) return;
  cluster.services.accept(await writeStatus(cluster.api, annotated, status));
  const occurrence = whatHappened(service, addresses, assigned);
  if (occurrence !== undefined) await writeEvent(cluster.api, service, occurrence);
}

/** What a Service that can't be served as it asks goes on with: the addresses that it has. */
async function keptAddresses(service: Service, cluster: Cluster): Promise<readonly Address[]> {
  await adoptAddresses(service, currentAddresses(service), cluster);
  const held = cluster.ledger.occupancy.addressesOf(serviceNameOf(service));
  return currentAddresses(service).filter((address) => held.some((one) => sameAddress(one, address)));
}

const currentAddresses = (service: Service): readonly Address[] =>
  annotatedAddresses(service) ?? statusAddresses(service);

async function annotate(service: Service, addresses: readonly Address[], cluster: Cluster): Promise<Service> {
  const before = (annotatedAddresses(service) ?? []).map(printAddress).join(",");
  if (before === addresses.map(printAddress).join(",")) return service;
  const written = await writeAnnotation(cluster.api, service, addresses.length === 0 ? undefined : addresses);
  cluster.services.accept(written);
  return written;
}

function describe(choice: Result<Allocation, ServiceRefusal>, addresses: readonly Address[]): Assigned {
  if (!choice.ok) {
    const reason = `${choice.error.kind.charAt(0).toUpperCase()}${choice.error.kind.slice(1)}`;
    return { isAssigned: addresses.length > 0, reason, message: explain(choice.error) };
  }
  const list = addresses.map(printAddress).join(" and ");
  return { isAssigned: true, reason: "Assigned", message: `${list} from IPAddressPool "${choice.value.pool}"` };
}

/** MetalLB's reasons, since people and their alerts know them. */
function whatHappened(service: Service, addresses: readonly Address[], assigned: Assigned): Occurrence | undefined {
  const before = statusAddresses(service).map(printAddress).join(",");
  const now = addresses.map(printAddress).join(",");
  if (!assigned.isAssigned) return { type: "Warning", reason: "AllocationFailed", note: assigned.message };
  if (before === now) return undefined;
  return { type: "Normal", reason: "IPAllocated", note: `Assigned ${assigned.message}` };
}

/** A Service that is Berth's no longer: its type or class has changed, and Mutate may have stripped it already. */
async function stopServing(service: Service, cluster: Cluster): Promise<void> {
  const isAnnotated = annotatedAddresses(service) !== undefined;
  const stripped = isAnnotated ? await writeAnnotation(cluster.api, service, undefined) : service;
  cluster.services.accept(stripped);
  const status = clearedStatus(stripped);
  if (status !== undefined) cluster.services.accept(await writeStatus(cluster.api, stripped, status));
}

/** Gives up the claims that the Service needs no more; says when the next one is due. */
async function release(key: ObjectKey, cluster: Cluster): Promise<Again> {
  const due: number[] = [];
  for (const claim of cluster.claimsOf(key)) {
    const inMillis = releaseInMillis(cluster.history.stateOf(claim, cluster.services.get(key)));
    if (inMillis === undefined) continue;
    if (inMillis > 0) due.push(inMillis);
    else if (!(await releaseClaim(claim, cluster))) due.push(1);
  }
  return due.length === 0 ? undefined : Math.min(...due);
}

/** Claims every address that a Service of Berth's has already, the oldest Service first. */
export async function adoptAll(cluster: Cluster): Promise<void> {
  const holders = [...cluster.services.values()].filter(
    (service) => isOurs(service) && currentAddresses(service).length > 0,
  );
  const inOrder = holders.toSorted((left, right) => (ageKey(left) < ageKey(right) ? -1 : 1));
  for (const service of inOrder) await adoptAddresses(service, currentAddresses(service), cluster);
}

const ageKey = (service: Service): string =>
  `${String(service.metadata?.creationTimestamp)} ${printKey(serviceNameOf(service))}`;
