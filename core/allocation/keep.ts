/** Which addresses a Service goes on with although its request can't be served as it stands. */
import type { Address } from "../address/address.ts";
import { rangesContain } from "../address/range.ts";
import type { InertPool, UsablePools } from "../pool/overlap.ts";
import type { Served, ServeProblem } from "../pool/serve.ts";
import { whyNotServed } from "../pool/serve.ts";
import type { Holder, ServiceName } from "./holder.ts";
import type { Obstacle } from "./sharing.ts";
import { findObstacle } from "./sharing.ts";
import { hasAddress } from "./supply.ts";
import type { SharingTerms } from "./terms.ts";

/** An address that a Service has, and what decides whether it may keep it, its own request aside. */
export type Possession = {
  readonly address: Address;
  readonly service: ServiceName;
  readonly terms: SharingTerms;
  readonly served: Served;
  readonly holder: Holder | undefined;
  /** The pool that it was claimed from, as namespace/name. */
  readonly claimedFrom: string;
  /** Whether the Service had it before Berth, when no pool had it. */
  readonly isAdopted: boolean;
};

/** What the claim of an address says of where it is from. */
export type Origin = Pick<Possession, "claimedFrom" | "isAdopted">;

/** What keeps a Service at an address that no usable pool has. */
export type Anchor =
  | { readonly kind: "inert"; readonly pool: Pick<InertPool, "key" | "name"> }
  | { readonly kind: "adopted" };

/** Addresses that a Service keeps without a usable pool, and what keeps it at the first of them. */
export type Anchored = { readonly addresses: readonly Address[]; readonly anchor: Anchor };

/**
 * What keeps a Service at the address although no usable pool has it, if anything: a pool that is inert takes nothing from
 * those that it served, and what was there before Berth is not Berth's to take away.
 */
export function findAnchor(
  { address, claimedFrom, isAdopted }: Origin & Pick<Possession, "address">,
  { usable, inert }: UsablePools,
): Anchor | undefined {
  const has = ({ ranges }: Pick<InertPool, "ranges">): boolean => rangesContain(ranges, address);
  if (usable.some(has)) return undefined;
  const pool = inert.find(has) ?? inert.find(({ key }) => key === claimedFrom);
  if (pool !== undefined) return { kind: "inert", pool };
  return isAdopted ? { kind: "adopted" } : undefined;
}

/** Why a Service can't keep an address: no pool has it, its pool does not serve the Service, or a sharer does not agree. */
export type Parting =
  | { readonly kind: "gone" }
  | { readonly kind: "mayNotServe"; readonly pool: string; readonly problem: ServeProblem }
  | ({ readonly kind: "held" } & Obstacle);

/**
 * What parts a Service from an address that it has, if anything. The usable pool that has the address decides; where none
 * has it, there must be an anchor. Sharers of other namespaces stay together.
 */
export function findParting(possession: Possession, pools: UsablePools): Parting | undefined {
  const { address, service, terms, served, holder } = possession;
  const pool = pools.usable.find(({ ranges }) => rangesContain(ranges, address));
  const isGone = pool === undefined ? findAnchor(possession, pools) === undefined : !hasAddress(pool, address);
  if (isGone) return { kind: "gone" };
  const problem = pool === undefined ? undefined : whyNotServed(pool, served);
  if (pool !== undefined && problem !== undefined) return { kind: "mayNotServe", pool: pool.key, problem };
  const obstacle = findObstacle(holder, { service, terms, across: "adopted" });
  return obstacle === undefined ? undefined : { kind: "held", ...obstacle };
}

/** Addresses that a Service would not go on with after a change, and what parts it from the first of them. */
export type Loss = { readonly addresses: readonly Address[]; readonly parting: Exclude<Parting, { kind: "gone" }> };
