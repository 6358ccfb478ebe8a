/** IPAddressPools: Validate refuses what is wrong whatever else arrives, overlaps, and what would strand addresses. */
import { Capability, type PeprValidateRequest } from "pepr";
import type { Cluster } from "../cluster/cluster.ts";
import { IPAddressPool } from "../cluster/crd.ts";
import { findOverlap, usablePools } from "../core/pool/overlap.ts";
import { findStranded } from "../core/allocation/stranded.ts";
import { explain, type Refusal } from "../core/explain.ts";
import { parsePool, poolKeyOf, type Pool } from "../core/pool/pool.ts";
import { guarded, type Answer } from "./guard.ts";
import type { Part } from "./part.ts";

type Request = PeprValidateRequest<IPAddressPool>;

/** Those who delete what a deleted namespace or owner held: holding them up would only leave it hanging. */
const CLEANERS = ["namespace-controller", "generic-garbage-collector"].map(
  (name) => `system:serviceaccount:kube-system:${name}`,
);

/** The capability. */
export function pools(cluster: Cluster): Part {
  const capability = new Capability({ name: "pools", description: "Checks address pools before they are stored." });
  capability
    .When(IPAddressPool)
    .IsCreatedOrUpdated()
    .Validate(guarded((request) => reviewPool(request, cluster), denyUnchecked));
  capability
    .When(IPAddressPool)
    .IsDeleted()
    .Validate(guarded((request) => reviewDeletion(request, cluster), denyUnchecked));
  return { capability, lead: () => Promise.resolve() };
}

/** What could not be checked is not stored: an overlap would give one address twice. */
const denyUnchecked = (request: Request): Answer =>
  request.Deny(
    `IPAddressPool "${request.Request.name}" could not be checked; try again, and see the logs in pepr-system`,
  );

/** The answer to a request that creates or changes a pool. */
export function reviewPool(request: Request, cluster: Cluster): Answer {
  const parsed = parsePool(request.Raw);
  if (!parsed.ok) return request.Deny(explain(parsed.error));
  const overlap = findOverlap(parsed.value, othersThan(parsed.value.key, cluster));
  if (overlap !== undefined) return request.Deny(explain(overlap));
  return answer(request, strandedBy(parsed.value.key, [parsed.value], cluster));
}

/** The answer to a request that deletes a pool. */
export function reviewDeletion(request: Request, cluster: Cluster): Answer {
  if (CLEANERS.includes(request.Request.userInfo.username ?? "")) return request.Approve();
  return answer(request, strandedBy(poolKeyOf(request.Raw), [], cluster));
}

const answer = (request: Request, refusal: Refusal | undefined): Answer =>
  refusal === undefined ? request.Approve() : request.Deny(explain(refusal));

/** Every other pool that is sound by itself, inert or not: two that overlap never become three. */
const othersThan = (key: string, cluster: Cluster): readonly Pool[] =>
  [...cluster.pools.values()].flatMap((input) => {
    const pool = parsePool(input);
    return pool.ok && pool.value.key !== key ? [pool.value] : [];
  });

/** What a pool's new form, none when it is deleted, would take from Services that hold addresses of it. */
function strandedBy(key: string, form: readonly Pool[], cluster: Cluster): Refusal | undefined {
  const before = cluster.usablePools().usable.find((pool) => pool.key === key);
  if (before === undefined) return undefined;
  const others = usablePools([...cluster.pools.values()].filter((input) => poolKeyOf(input) !== key)).usable;
  return findStranded(before, [...others, ...form], cluster.ledger.occupancy);
}
