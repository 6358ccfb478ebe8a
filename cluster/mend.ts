/** Mends claims that somebody damaged by hand, so that they do not say any more who holds the address. */
import { GRACE_MILLIS } from "../core/allocation/release.ts";
import { readTerms } from "../core/allocation/terms.ts";
import { removeClaim, renewClaim } from "./claim-writes.ts";
import type { Cluster } from "./cluster.ts";
import type { IPAddress, ObjectKey } from "./kinds.ts";
import type { Again } from "./queue.ts";
import { claimedAddress, isDamaged, isOurs, lists, serviceNameOf } from "./read.ts";

/** How soon a claim is looked at again that somebody else has just changed, in milliseconds. */
const SOON_MILLIS = 1;

/**
 * Writes on the claim, where it is damaged, the Services that list the address. They hold it on the terms that they have
 * now; whoever is on its way to them comes in again. False where there is none.
 */
export async function mendClaim({ metadata }: IPAddress, cluster: Cluster): Promise<boolean> {
  const claim = cluster.claims.get({ name: metadata?.name ?? "" });
  const address = claim === undefined ? undefined : claimedAddress(claim);
  if (claim === undefined || address === undefined || !isDamaged(claim)) return false;
  const holders = [...cluster.services.values()].filter((service) => isOurs(service) && lists(service, address));
  const sharers = holders.map((service) => ({ ...serviceNameOf(service), terms: [readTerms(service)] }));
  if (sharers.length === 0) return false;
  await renewClaim(claim, { sharers }, cluster);
  return true;
}

/**
 * Mends the claim, or deletes it once no Service has come forward for as long as a request may be on its way; says when
 * to look again.
 */
export async function mendOrRelease(key: ObjectKey, cluster: Cluster): Promise<Again> {
  const claim = cluster.claims.get(key);
  if (claim === undefined || !isDamaged(claim)) return undefined;
  if (await mendClaim(claim, cluster)) return undefined;
  const inMillis = GRACE_MILLIS - cluster.history.damagedMillis(claim);
  if (inMillis > 0) return inMillis;
  return (await removeClaim(claim, cluster)) ? undefined : SOON_MILLIS;
}
