/** Who may hold an address together, and how the list of its sharers changes. */
import type { Holder, ServiceName, Sharer } from "./holder.ts";
import { sameService } from "./holder.ts";
import type { SharingTerms, TermsConflict } from "./terms.ts";
import { findTermsConflict, sameTerms } from "./terms.ts";

/** A Service that wants to hold an address, its terms, and which Services of other namespaces it may share with. */
export type Newcomer = {
  readonly service: ServiceName;
  readonly terms: SharingTerms;
  readonly across: Across;
};

/**
 * Whether Services of two namespaces may share: not without the pool's consent, and then with externalTrafficPolicy
 * Cluster only; in any way where they did before Berth.
 */
export type Across = "never" | "cluster" | "adopted";

/** Why an address that Services hold can't be this one's too, and which of them stands against it. */
export type SharingConflict = TermsConflict | { readonly kind: "notShared" } | { readonly kind: "otherNamespace" };

/** Why the newcomer can't have the address; `holder` where nothing but having it alone would do. */
export type Obstacle = { readonly holder: Holder; readonly conflict: SharingConflict | undefined };

/** What keeps the newcomer from an address with this holder; nothing where it is free, its own, or can be shared. */
export function findObstacle(holder: Holder | undefined, newcomer: Newcomer): Obstacle | undefined {
  if (holder === undefined || (holder.kind === "service" && sameService(holder, newcomer.service))) return undefined;
  if (holder.kind === "other") return { holder, conflict: undefined };
  if (holder.kind === "service") {
    const conflict = newcomer.terms.key === "" ? undefined : ({ kind: "notShared" } as const);
    return { holder, conflict };
  }
  const others = holder.sharers.filter((sharer) => !sameService(sharer, newcomer.service));
  const isIn = others.length < holder.sharers.length;
  for (const sharer of others) {
    const conflict = conflictWith(sharer, newcomer, isIn);
    if (conflict !== undefined) return { holder: { kind: "service", ...nameOf(sharer) }, conflict };
  }
  return undefined;
}

const nameOf = ({ namespace, name }: ServiceName): ServiceName => ({ namespace, name });

/** A Service that shares already goes on without the pool's consent to cross namespaces: none loses what it has. */
function conflictWith(sharer: Sharer, newcomer: Newcomer, isIn: boolean): SharingConflict | undefined {
  for (const theirs of sharer.terms) {
    const conflict = findTermsConflict(newcomer.terms, theirs);
    if (conflict !== undefined) return conflict;
  }
  if (isIn || newcomer.across === "adopted" || sharer.namespace === newcomer.service.namespace) return undefined;
  // A selector means other pods in another namespace, and only one node's pods would get the traffic of both.
  const isLocal = newcomer.terms.backend.startsWith("local:");
  return newcomer.across === "cluster" && !isLocal ? undefined : { kind: "otherNamespace" };
}

/** Terms that nobody agrees with. */
const EXCLUSIVE: SharingTerms = { key: "", ports: [], backend: "" };

/** The sharers of an address with the holder; one that a Service has for itself has it as its only one. */
export const sharersOf = (holder: Holder): readonly Sharer[] => {
  switch (holder.kind) {
    case "shared":
      return holder.sharers;
    case "service":
      return [{ ...nameOf(holder), terms: [EXCLUSIVE] }];
    case "other":
      return [];
  }
};

/** The sharers once the Service has come in, or has changed its terms and is still bound by those it had. */
export function withTerms(sharers: readonly Sharer[], service: ServiceName, terms: SharingTerms): readonly Sharer[] {
  const before = sharers.find((sharer) => sameService(sharer, service))?.terms ?? [];
  const all = before.some((one) => sameTerms(one, terms)) ? before : [...before, terms];
  return replace(sharers, { ...nameOf(service), terms: all });
}

/** The sharers once the Service is bound by these terms alone. */
export const withOnlyTerms = (
  sharers: readonly Sharer[],
  service: ServiceName,
  terms: SharingTerms,
): readonly Sharer[] => sharers.map((one) => (sameService(one, service) ? { ...one, terms: [terms] } : one));

/** The sharers, this Service's part in them marked as taken up in that turn. */
export const withTurn = (sharers: readonly Sharer[], service: ServiceName, turn: number): readonly Sharer[] =>
  sharers.map((one) => (sameService(one, service) ? { ...one, turn } : one));

/** The sharers without the Service. */
export const without = (sharers: readonly Sharer[], service: ServiceName): readonly Sharer[] =>
  sharers.filter((sharer) => !sameService(sharer, service));

function replace(sharers: readonly Sharer[], sharer: Sharer): readonly Sharer[] {
  if (!sharers.some((one) => sameService(one, sharer))) return [...sharers, sharer];
  return sharers.map((one) => (sameService(one, sharer) ? sharer : one));
}

/** Whoever holds an address by all these notes together: sharers who agree are united, anybody else stands alone. */
export function uniteHolders(holders: readonly Holder[]): Holder | undefined {
  const [first, ...others] = holders;
  if (first?.kind !== "shared") return first;
  const all = others.flatMap((holder) => (holder.kind === "shared" ? holder.sharers : []));
  const sharers = all.reduce<readonly Sharer[]>(
    (united, sharer) =>
      sharer.terms.every((terms) => mayCome(united, sharer, terms))
        ? sharer.terms.reduce((list, terms) => withTerms(list, sharer, terms), united)
        : united,
    first.sharers,
  );
  return { kind: "shared", sharers };
}

const mayCome = (sharers: readonly Sharer[], service: ServiceName, terms: SharingTerms): boolean =>
  findObstacle({ kind: "shared", sharers }, { service, terms, across: "adopted" }) === undefined;
