/** Whether a request for a Service that can't be served as it stands is denied, or admitted with a Warning. */
import { preview, type ServiceRefusal } from "../cluster/claims.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { hearAnew } from "../cluster/hearing.ts";
import { findLoss } from "../cluster/kept.ts";
import type { Service } from "../cluster/kinds.ts";
import { isOurs, listedAddresses, serviceNameOf } from "../cluster/read.ts";
import { settings } from "../cluster/settings.ts";
import type { Address } from "../core/address/address.ts";
import type { Allocation } from "../core/allocation/allocate.ts";
import type { Loss } from "../core/allocation/keep.ts";
import { isExhausted, isPending, stayingWith } from "../core/allocation/refusal.ts";
import { explain, explainNote, isRequestRefusal } from "../core/explain.ts";
import { sameJson } from "../core/json.ts";
import { keys } from "../core/keys.ts";
import type { Result } from "../core/result.ts";

/** A Service as it is wanted, and as it is stored if it is. */
export type Change = { readonly wanted: Service; readonly stored: Service | undefined };

/** The stored form; the API server sends null on create, whatever the type says. */
export const storedOf = ({ OldResource }: { readonly OldResource?: Service | null | undefined }): Service | undefined =>
  OldResource ?? undefined;

/** What a request is denied with, and what that rests on beside the request itself. */
export type Denial = {
  readonly message: string;
  /** Whether the request is wrong by itself, whatever is stored. */
  readonly isByItself: boolean;
  /** The addresses that somebody holds who does not let the Service have them. */
  readonly held: readonly Address[];
};

type Choice = Result<Allocation, ServiceRefusal>;

/**
 * What is chosen; where the request would be denied, chosen once more by what the API server says now: this process may not
 * have heard yet of what was stored a moment ago, as with a pool, a namespace and a Service in one file.
 */
export async function chooseSurely(
  change: Change,
  cluster: Cluster,
  choose: () => Choice | Promise<Choice>,
): Promise<Choice> {
  const choice = await choose();
  const denial = choice.ok ? undefined : findDenial(change, choice.error, cluster);
  if (denial === undefined || denial.isByItself) return choice;
  return (await hearAnew(denial.held, cluster)) ? choose() : choice;
}

/** Why the request is denied; undefined where it is admitted although it can't be served. */
export function findDenial(change: Change, refusal: ServiceRefusal, cluster: Cluster): Denial | undefined {
  const message = explain(refusal);
  const earlier = findEarlier(change, cluster);
  if (earlier?.loss !== undefined) return denialOfLoss(earlier.loss, change);
  // A fault that was there before is not what this change is about, and must not hold it up.
  if (asksTheSame(change) || earlier?.message === message) return undefined;
  if (stayingWith(refusal) !== undefined) return undefined;
  if (mayWait(refusal) && !hadAddress(change)) return undefined;
  return { message, isByItself: isByItself(refusal), held: "holder" in refusal ? [refusal.address] : [] };
}

/** Families are those of the cluster where the Service names none. */
const isByItself = (refusal: ServiceRefusal): boolean => isRequestRefusal(refusal) && refusal.kind !== "wrongFamilyPin";

const denialOfLoss = (loss: Loss, { wanted }: Change): Denial => ({
  message: explainNote({ kind: "loses", service: serviceNameOf(wanted), ...loss }),
  isByItself: false,
  held: loss.parting.kind === "held" ? loss.addresses : [],
});

/** Whether a Service that has no address is admitted, to be served as soon as it can be. */
const mayWait = (refusal: ServiceRefusal): boolean =>
  isPending(refusal) && !(isExhausted(refusal) && settings.exhaustion === "deny");

/** The fault that the stored Service has already, and what this change would take of that with which it goes on all the same. */
function findEarlier(
  { stored, wanted }: Change,
  cluster: Cluster,
): { readonly message: string; readonly loss: Loss | undefined } | undefined {
  if (stored === undefined || !isOurs(stored)) return undefined;
  const choice = preview(stored, cluster);
  return choice.ok ? undefined : { message: explain(choice.error), loss: findLoss(stored, wanted, cluster) };
}

/** Whether the stored Service has an address: then a request that can't be served changes nothing, whatever it lacks. */
const hadAddress = ({ stored }: Change): boolean =>
  stored !== undefined && isOurs(stored) && listedAddresses(stored).length > 0;

/** Whether nothing that an address is given by differs from what is stored: then this change is not about it. */
const asksTheSame = ({ wanted, stored }: Change): boolean =>
  stored !== undefined && sameJson(askOf(stored), askOf(wanted));

const askOf = ({ metadata, spec }: Service): unknown => ({
  spec,
  labels: metadata?.labels,
  annotations: Object.entries(metadata?.annotations ?? {}).filter(([name]) => !BERTHS.has(name)),
});

/** The annotations that Berth itself writes. */
const BERTHS: ReadonlySet<string> = new Set([keys.addresses, keys.fromPool]);
