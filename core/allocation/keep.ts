/** Which addresses a Service goes on with although its request can't be served as it stands. */
import type { Address } from "../address/address.ts";
import { rangeContains } from "../address/range.ts";
import type { UsablePools } from "../pool/overlap.ts";
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
};

/** Why a Service can't keep an address: no pool has it, its pool does not serve the Service, or a sharer does not agree. */
export type Parting =
  | { readonly kind: "gone" }
  | { readonly kind: "mayNotServe"; readonly pool: string; readonly problem: ServeProblem }
  | ({ readonly kind: "held" } & Obstacle);

/**
 * What parts a Service from an address that it has, if anything. The pool that has the address decides; where none has it,
 * a pool that is inert by a fault of its own takes nothing from those it served. Sharers of other namespaces stay together.
 */
export function findParting(possession: Possession, { usable, inert }: UsablePools): Parting | undefined {
  const { address, service, terms, served, holder, claimedFrom } = possession;
  const pool = usable.find(({ ranges }) => ranges.some((range) => rangeContains(range, address)));
  if (pool === undefined ? !inert.some((one) => one.pool === claimedFrom) : !hasAddress(pool, address))
    return { kind: "gone" };
  const problem = pool === undefined ? undefined : whyNotServed(pool, served);
  if (pool !== undefined && problem !== undefined) return { kind: "mayNotServe", pool: pool.key, problem };
  const obstacle = findObstacle(holder, { service, terms, across: "adopted" });
  return obstacle === undefined ? undefined : { kind: "held", ...obstacle };
}

/** Addresses that a Service would not go on with after a change, and what parts it from the first of them. */
export type Loss = { readonly addresses: readonly Address[]; readonly parting: Exclude<Parting, { kind: "gone" }> };
