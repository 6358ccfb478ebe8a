/** What a person learns of a Service's addresses after it is stored: its condition, and Events under MetalLB's reasons. */
import type { ServiceRefusal } from "../cluster/claims.ts";
import type { Service } from "../cluster/kinds.ts";
import { statusAddresses } from "../cluster/read.ts";
import type { Occurrence, Wanted } from "../cluster/write.ts";
import { printAddress, sameAddress, type Address } from "../core/address/address.ts";
import { explain, isRequestRefusal } from "../core/explain.ts";
import { keys } from "../core/keys.ts";

/** How it stands with a Service's addresses. */
export type Outcome = {
  /** Those that are claimed for it, and their pool as namespace/name. */
  readonly addresses: readonly Address[];
  readonly pool: string | undefined;
  /** Those that its status is to list. */
  readonly shown: readonly Address[];
  /** Why it does not have what it asks for; it may have something nevertheless. */
  readonly refusal: ServiceRefusal | undefined;
};

/** What the condition is to say. Its reason is "Assigned", or the kind of the refusal. */
export function describeAssigned({ addresses, pool, refusal }: Outcome): Wanted {
  const status = addresses.length > 0 ? "True" : "False";
  if (refusal === undefined) {
    return { type: keys.addressAssigned, says: { status, reason: keys.assigned, message: fromPool(addresses, pool) } };
  }
  const reason = `${refusal.kind.charAt(0).toUpperCase()}${refusal.kind.slice(1)}`;
  return { type: keys.addressAssigned, says: { status, reason, message: explain(refusal) } };
}

const fromPool = (addresses: readonly Address[], pool: string | undefined): string =>
  `${addresses.map(printAddress).join(" and ")} from IPAddressPool "${pool ?? ""}"`;

/** What is to be recorded once the status has been written; MetalLB's reasons, since people and their alerts know them. */
export function occurrencesOf(service: Service, outcome: Outcome): readonly Occurrence[] {
  const before = statusAddresses(service);
  const { shown, refusal } = outcome;
  const lost = before.filter((address) => !shown.some((one) => sameAddress(one, address)));
  const isSame = lost.length === 0 && before.length === shown.length;
  return [
    ...(lost.length > 0 ? [cleared(lost, shown.length === 0 ? refusal : undefined)] : []),
    ...(refusal === undefined ? (isSame ? [] : [allocated(outcome)]) : [refused(refusal, outcome)]),
    ...(isSame || !usesOldPrefix(service) ? [] : [DEPRECATED]),
  ];
}

const cleared = (lost: readonly Address[], refusal: ServiceRefusal | undefined): Occurrence => ({
  type: "Normal",
  reason: "ClearAssignment",
  note: `Took back ${lost.map(printAddress).join(" and ")}${refusal === undefined ? "" : `: ${explain(refusal)}`}`,
});

const allocated = ({ addresses, pool }: Outcome): Occurrence => ({
  type: "Normal",
  reason: "IPAllocated",
  note: `Assigned ${fromPool(addresses, pool)}`,
});

/** A Service that has an address is told of what is wrong with its request; one that has none, of why it has none. */
const refused = (refusal: ServiceRefusal, { addresses }: Outcome): Occurrence => ({
  type: "Warning",
  reason: isRequestRefusal(refusal) && addresses.length > 0 ? "LoadBalancerFailed" : "AllocationFailed",
  note: explain(refusal),
});

const usesOldPrefix = ({ metadata }: Service): boolean =>
  Object.keys(metadata?.annotations ?? {}).some((name) => name.startsWith(keys.deprecatedPrefix));

const DEPRECATED: Occurrence = {
  type: "Warning",
  reason: "deprecatedAnnotation",
  note: `Annotations that begin with ${keys.deprecatedPrefix} are deprecated; write metallb.io/ instead`,
};
