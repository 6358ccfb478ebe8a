/** Gives up what Services need no more of their claims. Core says when. */
import { printAddress, sameAddress, type Address } from "../core/address/address.ts";
import type { ServiceName } from "../core/allocation/holder.ts";
import { sameService } from "../core/allocation/holder.ts";
import type { AllocationRefusal, RequestRefusal } from "../core/allocation/refusal.ts";
import { GRACE_MILLIS, releaseInMillis, restsForMillis } from "../core/allocation/release.ts";
import { findObstacle, sharersOf, withOnlyTerms } from "../core/allocation/sharing.ts";
import { readTerms, sameTerms } from "../core/allocation/terms.ts";
import { keys } from "../core/keys.ts";
import { leaveClaim, relabel, renewClaim, writeResting } from "./claim-writes.ts";
import type { Cluster } from "./cluster.ts";
import { metadataOf, type IPAddress, type ObjectKey } from "./kinds.ts";
import type { Again } from "./queue.ts";
import { claimantsOf, claimedAddress, claimHolder, isAdoptedClaim, isResting, statusAddresses } from "./read.ts";

/** How soon a claim is looked at again that somebody else has just changed, in milliseconds. */
const SOON_MILLIS = 1;

/** Gives up the Service's part in the claims that it needs no more; says when the next one is due. */
export async function releaseUnneeded(key: ObjectKey, cluster: Cluster): Promise<Again> {
  const service: ServiceName = { namespace: key.namespace ?? "", name: key.name };
  const due: number[] = [];
  for (const claim of cluster.claimsOf(service)) {
    const again = await releaseOne(claim, service, cluster);
    if (again !== undefined) due.push(again);
  }
  return due.length === 0 ? undefined : Math.min(...due);
}

async function releaseOne(claim: IPAddress, service: ServiceName, cluster: Cluster): Promise<Again> {
  const state = stateOf(claim, service, cluster);
  const inMillis = releaseInMillis(state);
  if (inMillis === undefined) {
    return (await relabel(claim, poolNow(claim, cluster), cluster))
      ? SOON_MILLIS
      : bindToStored(claim, service, cluster);
  }
  if (isResting(claim)) return wakeOrRest(claim, service, cluster);
  if (inMillis > 0) return inMillis;
  const isLast = claimantsOf(claim).length === 1;
  if (isLast && coolDownOf(claim, cluster) > 0) {
    await writeResting(claim, cluster);
    return SOON_MILLIS;
  }
  return (await leaveClaim(claim, service, cluster)) ? undefined : SOON_MILLIS;
}

async function wakeOrRest(claim: IPAddress, service: ServiceName, cluster: Cluster): Promise<Again> {
  const sinceMillis = Date.parse(metadataOf(claim).annotations[keys.claimRestingSince] ?? "");
  const { knownMillis } = stateOf(claim, service, cluster);
  const inMillis = restsForMillis({ sinceMillis, knownMillis, nowMillis: Date.now() }, coolDownOf(claim, cluster));
  if (inMillis > 0) return inMillis;
  return (await leaveClaim(claim, service, cluster)) ? undefined : SOON_MILLIS;
}

function poolNow(claim: IPAddress, cluster: Cluster): string | undefined {
  const address = claimedAddress(claim);
  // That a pool has come to have an address that none had is noted with more than a label.
  return address === undefined || isAdoptedClaim(claim) ? undefined : cluster.poolOf(address)?.key;
}

/** How long an address of the claim's pool rests, in milliseconds. */
function coolDownOf(claim: IPAddress, cluster: Cluster): number {
  const address = claimedAddress(claim);
  return (address === undefined ? undefined : cluster.poolOf(address))?.coolDownMillis ?? 0;
}

/** A sharer that was changed is bound by its terms before and after, until the change is known to be stored. */
async function bindToStored(claim: IPAddress, service: ServiceName, cluster: Cluster): Promise<Again> {
  const holder = claimHolder(claim);
  const stored = cluster.services.get(service);
  if (holder.kind !== "shared" || stored === undefined) return undefined;
  const terms = readTerms(stored);
  const bound = holder.sharers.find((sharer) => sameService(sharer, service))?.terms ?? [];
  if (bound.every((one) => sameTerms(one, terms))) return undefined;
  // What bypassed admission may ask for what the others have: they are not to give way to it.
  if (findObstacle(holder, { service, terms, across: "adopted" }) !== undefined) return undefined;
  const { isSettled, knownMillis } = stateOf(claim, service, cluster);
  if (!isSettled && knownMillis < GRACE_MILLIS) return GRACE_MILLIS - knownMillis;
  const sharers = withOnlyTerms(sharersOf(holder), service, terms);
  return (await renewClaim(claim, { sharers }, cluster)) === undefined ? SOON_MILLIS : undefined;
}

const stateOf = (
  claim: IPAddress,
  service: ServiceName,
  cluster: Cluster,
): ReturnType<typeof cluster.history.stateOf> => cluster.history.stateOf(claim, service, cluster.services.get(service));

/**
 * Whether a pin failed only on a Service that is deleted, or has gone elsewhere: its claim lingers for it to come back, but
 * yields to a pin. Not where the pool has its addresses rest.
 */
export async function giveUpAbandoned(refusal: RequestRefusal | AllocationRefusal, cluster: Cluster): Promise<boolean> {
  if (refusal.kind !== "pinHeld" || refusal.holder.kind !== "service") return false;
  const claim = cluster.claims.get({ name: printAddress(refusal.address) });
  if (claim === undefined || coolDownOf(claim, cluster) > 0) return false;
  const { address, holder } = refusal;
  return isAbandoned(claim, { address, holder }, cluster) && (await leaveClaim(claim, holder, cluster));
}

type Held = { readonly address: Address; readonly holder: ServiceName };

function isAbandoned(claim: IPAddress, { address, holder }: Held, cluster: Cluster): boolean {
  const stored = cluster.services.get(holder);
  // One from before Berth shows it before Berth has written it there.
  if (stored !== undefined && statusAddresses(stored).some((one) => sameAddress(one, address))) return false;
  const state = stateOf(claim, holder, cluster);
  return state.service !== "lists" && (state.isSettled || (releaseInMillis(state) ?? 1) <= 0);
}
