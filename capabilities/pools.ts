/** IPAddressPools: Validate refuses what is wrong, what overlaps, and what would strand addresses; a gap is a Warning. */
import { Capability, type PeprValidateRequest } from "pepr";
import type { Cluster } from "../cluster/cluster.ts";
import { IPAddressPool } from "../cluster/crd.ts";
import { kinds, metadataOf } from "../cluster/kinds.ts";
import { hearOfServices } from "../cluster/hearing.ts";
import { hearAll, listNow } from "../cluster/patience.ts";
import { choosable, sameAddresses, surroundingsOf } from "../cluster/surroundings.ts";
import { findOverlap, usablePools } from "../core/pool/overlap.ts";
import { isOurs } from "../cluster/read.ts";
import type { Address } from "../core/address/address.ts";
import type { ServiceName } from "../core/allocation/holder.ts";
import type { Origin } from "../core/allocation/keep.ts";
import { findStranded } from "../core/allocation/stranded.ts";
import { explain, type Refusal } from "../core/explain.ts";
import type { PoolFault } from "../core/explain/pool.ts";
import { sameJson } from "../core/json.ts";
import { keys } from "../core/keys.ts";
import { findNamespaceGap, type NamespaceGap } from "../core/pool/namespaces.ts";
import { parsePool, poolKeyOf, type Pool, type PoolInput } from "../core/pool/pool.ts";
import type { Served } from "../core/pool/serve.ts";
import { checkSteering } from "../core/pool/steering.ts";
import { findCollisions } from "../core/pool/surroundings.ts";
import { guarded, type Answer } from "./guard.ts";
import type { Part } from "./part.ts";
import { Statuses } from "./statuses.ts";

type Request = PeprValidateRequest<IPAddressPool>;

/** Those who delete what a deleted namespace or owner held: holding them up would only leave it hanging. */
const CLEANERS: readonly string[] = [
  ...keys.namespaceCleaners,
  "system:serviceaccount:kube-system:generic-garbage-collector",
];

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
  const statuses = new Statuses(cluster);
  return {
    capability,
    lead: (term) => {
      statuses.lead(term);
      return Promise.resolve();
    },
  };
}

/** What could not be checked is not stored: an overlap would give one address twice. */
const denyUnchecked = (request: Request): Answer =>
  request.Deny(
    `IPAddressPool "${request.Request.name}" could not be checked; try again, and see the logs in pepr-system`,
  );

/**
 * The answer to a request that creates or changes a pool. A fault that the stored form has in the same addresses is a
 * Warning: the change is not about it, and a pool that is being deleted must come through.
 */
export async function reviewPool(request: Request, cluster: Cluster): Promise<Answer> {
  const parsed = parsePool(request.Raw);
  const pools = await poolsNow(cluster);
  const faults = faultsOf(request.Raw, pools, cluster).map(explain);
  const known = knownFaults(request, pools, cluster);
  const fresh = faults.find((fault) => !known.includes(fault));
  if (fresh !== undefined) return request.Deny(fresh);
  const change = { input: request.Raw, form: parsed.ok ? [parsed.value] : [], pools };
  // At the same time: what is asked for may take as long as each is waited for, and the answer has to come in time.
  const [stranded, gap] = parsed.ok
    ? await Promise.all([strandedNow(change, cluster), namespaceGapOf(parsed.value, cluster)])
    : [];
  if (stranded !== undefined) return request.Deny(explain(stranded));
  return request.Approve([...faults, ...(gap === undefined ? [] : [explain(gap)])]);
}

/** All pools; the cache may not have heard of one that was made or deleted a moment ago, as a renamed one is. */
const poolsNow = ({ api, pools }: Cluster): Promise<readonly IPAddressPool[]> => listNow(api, kinds.pools, pools);

/** What the pool's choice of namespaces misses; the cache may not have heard of one that was made a moment ago. */
async function namespaceGapOf(pool: Pool, { api, namespaces }: Cluster): Promise<NamespaceGap | undefined> {
  const gap = findNamespaceGap(pool, choosable(namespaces.values()));
  if (gap === undefined) return undefined;
  return findNamespaceGap(pool, choosable(await listNow(api, kinds.namespaces, namespaces)));
}

/** Everything that is wrong with a pool in this cluster. */
function faultsOf(input: IPAddressPool, pools: readonly IPAddressPool[], cluster: Cluster): readonly PoolFault[] {
  const steering = checkSteering(poolKeyOf(input), metadataOf(input).annotations);
  const ofAnnotations = steering === undefined ? [] : [steering];
  const parsed = parsePool(input);
  if (!parsed.ok) return [parsed.error, ...ofAnnotations];
  const overlap = findOverlap(parsed.value, othersThan(parsed.value.key, pools));
  const collisions = findCollisions(parsed.value, surroundingsOf(cluster));
  return [...ofAnnotations, ...(overlap === undefined ? [] : [overlap]), ...collisions];
}

/** What is wrong with the stored form already, in words; nothing where the request changes its addresses. */
function knownFaults(
  { Raw, OldResource: stored }: Request,
  pools: readonly IPAddressPool[],
  cluster: Cluster,
): readonly string[] {
  if (!stored || !sameAddresses(stored, Raw)) return []; // null on a create, whatever the type says
  return faultsOf(stored, pools, cluster).map(explain);
}

/** The answer to a request that deletes a pool. */
export async function reviewDeletion(request: Request, cluster: Cluster): Promise<Answer> {
  if (CLEANERS.includes(request.Request.userInfo.username ?? "")) return request.Approve();
  const stranded = await strandedNow({ input: request.Raw, form: [], pools: await poolsNow(cluster) }, cluster);
  return stranded === undefined ? request.Approve() : request.Deny(explain(stranded));
}

/** Every other pool that is sound by itself, inert or not: two that overlap never become three. */
const othersThan = (key: string, pools: readonly IPAddressPool[]): readonly Pool[] =>
  pools.flatMap((input) => {
    const pool = parsePool(input);
    return pool.ok && pool.value.key !== key ? [pool.value] : [];
  });

/** A pool as it would be stored, its sound form (none when it is deleted), and all pools as they are. */
type Change = {
  readonly input: PoolInput;
  readonly form: readonly Pool[];
  readonly pools: readonly IPAddressPool[];
};

/**
 * What a change of a pool would take from Services that hold addresses of it. A claim may have been made a moment ago, so all
 * are listed. Services that they name and that this process does not know as Berth's, as they may be as new, are asked for
 * before it is said to be nothing.
 */
async function strandedNow(change: Change, cluster: Cluster): Promise<Refusal | undefined> {
  if (isUnchanged(change)) return strandedBy(change, cluster);
  await hearAll(cluster.api, kinds.claims, cluster.claims);
  const unknown: ServiceName[] = [];
  const stranded = strandedBy(change, cluster, (service) => unknown.push(service));
  if (stranded !== undefined || unknown.length === 0) return stranded;
  await hearOfServices(unknown, cluster);
  return strandedBy(change, cluster);
}

/** Whether the pool stays what it is: then it comes through whatever can't be asked, as on its way out. */
const isUnchanged = ({ input, form, pools }: Change): boolean =>
  form.length > 0 && pools.some((pool) => poolKeyOf(pool) === poolKeyOf(input) && sameJson(pool.spec, input.spec));

/** The same, by what this process knows; calls back for each Service of which it knows nothing to go by. */
function strandedBy(
  { input, form, pools }: Change,
  cluster: Cluster,
  onUnknown?: (service: ServiceName) => unknown,
): Refusal | undefined {
  const key = poolKeyOf(input);
  if (input.metadata?.annotations?.[keys.poolAllowRenumbering] === "true") return undefined;
  const others = usablePools(pools.filter((other) => poolKeyOf(other) !== key));
  const after = { usable: [...others.usable, ...form], inert: others.inert };
  const served = (name: ServiceName): Served | undefined => {
    const service = cluster.services.get(name);
    if (service !== undefined && isOurs(service)) return cluster.servedAs(service);
    onUnknown?.(name);
    return undefined;
  };
  const { occupancy } = cluster.ledger;
  const originOf = (address: Address): Origin => cluster.originOf(address);
  return findStranded({ pool: key, before: usablePools(pools), after, occupancy, served, originOf });
}
