/**
 * What is wrong with a cluster at rest, seen from outside: a pure function of the objects that can be listed and of what
 * clients were told. Naive on purpose, and without a line of the product's own reckoning.
 */
import type { Service } from "../../../cluster/kinds.ts";
import {
  annotated,
  conditionOf,
  holdersOf,
  isBerths,
  isServed,
  nameOf,
  rests,
  shown,
  type Listing,
} from "./listing.ts";
import { isMet, isTrueReason } from "./reasons.ts";
import { mayShare } from "./sharing.ts";

/** Something that must not be; `what` names the objects. */
export type Fault = {
  readonly kind:
    | "twoOwners"
    | "notItsOwn"
    | "unclaimed"
    | "orphan"
    | "statusDiffers"
    | "leftover"
    | "untrueReason"
    | "unmet"
    | "lost";
  readonly what: string;
};

/** What a client was told last of a Service that has asked for nothing else since. */
export type Note = { readonly service: string; readonly addresses: readonly string[] };

/** Everything that is wrong; empty for a sound cluster at rest. */
export const findFaults = (listing: Listing, notes: readonly Note[] = []): readonly Fault[] => [
  ...findTwoOwners(listing, ({ first, second, address }) => !mayShare(first, second, address, listing)),
  ...findStrangers(listing),
  ...listing.services.filter(isServed).flatMap((service) => checkServed(service, listing)),
  ...listing.services.filter((service) => !isServed(service)).flatMap(checkOther),
  ...findOrphans(listing),
  ...notes.flatMap((note) => checkNote(note, listing)),
];

type Pair = { readonly first: Service; readonly second: Service; readonly address: string };

/** Addresses that two Services have, in annotation or status, of those pairs that may not. */
export function findTwoOwners(
  { services }: Pick<Listing, "services">,
  isForbidden: (pair: Pair) => boolean,
): readonly Fault[] {
  const owned = services
    .filter(isServed)
    .flatMap((service) =>
      [...new Set([...annotated(service), ...shown(service)])].map((address) => ({ service, address })),
    );
  return [...Map.groupBy(owned, ({ address }) => address)].flatMap(([address, owners]) =>
    owners.flatMap(({ service: first }, index) =>
      owners
        .slice(index + 1)
        .filter(({ service: second }) => isForbidden({ first, second, address }))
        .map(({ service: second }) => ({
          kind: "twoOwners" as const,
          what: `${address} is ${nameOf(first)}'s and ${nameOf(second)}'s`,
        })),
    ),
  );
}

/** Addresses of Services that are somebody else's altogether: a node's, a ClusterIP, one reserved by hand. */
function findStrangers({ services, claims, nodes }: Listing): readonly Fault[] {
  const strangers = new Map([
    ...nodes.flatMap((node) =>
      (node.status?.addresses ?? []).map(({ address }) => [address, `node ${node.metadata?.name ?? ""}`] as const),
    ),
    ...services.flatMap((service) =>
      (service.spec?.clusterIPs ?? []).map((address) => [address, `ClusterIP of ${nameOf(service)}`] as const),
    ),
    ...claims
      .filter((claim) => !isBerths(claim))
      .map((claim) => [claim.metadata?.name ?? "", "an IPAddress that is not Berth's"] as const),
  ]);
  return services.filter(isServed).flatMap((service) =>
    annotated(service)
      .filter((address) => strangers.has(address))
      .map((address) => ({
        kind: "notItsOwn" as const,
        what: `${nameOf(service)} has ${address}: ${strangers.get(address) ?? ""}`,
      })),
  );
}

function checkServed(service: Service, listing: Listing): readonly Fault[] {
  const name = nameOf(service);
  const isClaimed = (address: string): boolean =>
    listing.claims.some(
      (claim) =>
        claim.metadata?.name === address && isBerths(claim) && !rests(claim) && holdersOf(claim).includes(name),
    );
  const unclaimed = annotated(service).filter((address) => !isClaimed(address));
  return [
    ...unclaimed.map((address) => ({ kind: "unclaimed" as const, what: `${name} has ${address} without a claim` })),
    ...checkStatus(service),
    ...checkReason(service, listing),
  ];
}

function checkStatus(service: Service): readonly Fault[] {
  const addresses = annotated(service);
  const condition = conditionOf(service);
  const isTold = condition?.status === (addresses.length > 0 ? "True" : "False");
  if (isTold && addresses.join() === shown(service).join()) return [];
  const what = `${nameOf(service)} has "${addresses.join()}" in the annotation, "${shown(service).join()}" in the status, ${JSON.stringify(condition)}`;
  return [{ kind: "statusDiffers", what }];
}

function checkReason(service: Service, listing: Listing): readonly Fault[] {
  const { reason } = conditionOf(service) ?? { reason: "Assigned" };
  if (reason !== "Assigned") {
    const what = `${nameOf(service)} says ${reason}, which is not so`;
    return isTrueReason(reason, service, listing) ? [] : [{ kind: "untrueReason", what }];
  }
  const what = `${nameOf(service)} has "${annotated(service).join()}", which is not what it asks for`;
  return annotated(service).length === 0 || isMet(service, listing) ? [] : [{ kind: "unmet", what }];
}

/** A Service that Berth does not serve carries nothing of Berth's. */
function checkOther(service: Service): readonly Fault[] {
  const isBare = annotated(service).length === 0 && conditionOf(service) === undefined;
  return isBare
    ? []
    : [{ kind: "leftover", what: `${nameOf(service)} is not served and has ${annotated(service).join()}` }];
}

function findOrphans({ services, claims }: Listing): readonly Fault[] {
  const owners = new Map(services.filter(isServed).map((service) => [nameOf(service), annotated(service)]));
  return claims
    .filter((claim) => isBerths(claim) && !rests(claim))
    .flatMap((claim) => {
      const address = claim.metadata?.name ?? "";
      const holders = holdersOf(claim);
      const strays = holders.filter((holder) => owners.get(holder)?.includes(address) !== true);
      const what = holders.length === 0 ? ["nobody"] : strays;
      return what.map((holder) => ({ kind: "orphan" as const, what: `${address} is claimed for ${holder}` }));
    });
}

function checkNote({ service: name, addresses }: Note, { services }: Listing): readonly Fault[] {
  const service = services.find((one) => nameOf(one) === name);
  const now = service === undefined ? [] : annotated(service);
  if (addresses.every((address) => now.includes(address))) return [];
  const has = service === undefined ? "is gone" : `has ${now.join()}`;
  return [{ kind: "lost", what: `${name} was told ${addresses.join()} and ${has}` }];
}
