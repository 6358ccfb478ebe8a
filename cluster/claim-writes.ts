/** Every write to a claim. Each one is conditional: it happens to the claim as this process knows it, or not at all. */
import { printAddress, type Address } from "../core/address/address.ts";
import type { ServiceName, Sharer } from "../core/allocation/holder.ts";
import { printSharers } from "../core/allocation/sharers-text.ts";
import { sharersOf, without, withTurn } from "../core/allocation/sharing.ts";
import { keys } from "../core/keys.ts";
import type { Cluster } from "./cluster.ts";
import { isConflict, isNotFound } from "./errors.ts";
import { apiVersionOf, kinds, metadataOf, type IPAddress } from "./kinds.ts";
import { claimHolder } from "./read.ts";

/**
 * What a claim is made for; `pool` is namespace/name, empty where no pool has the address. Without `sharers` the Service
 * has the address for itself.
 */
export type NewClaim = {
  readonly address: Address;
  readonly pool: string;
  readonly service: ServiceName;
  readonly sharers: readonly Sharer[] | undefined;
  /** Whether the Service had the address before Berth, and no pool has it. */
  readonly isAdopted?: boolean;
};

/** Makes the claim; undefined where there is one already, whoever has it. */
export async function createClaim(claim: NewClaim, cluster: Cluster): Promise<IPAddress | undefined> {
  try {
    const created = await cluster.api.create(kinds.claims, claimObject(claim));
    cluster.claims.accept(created);
    return created;
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}

function claimObject({ address, pool, service, sharers, isAdopted }: NewClaim): IPAddress {
  return {
    apiVersion: apiVersionOf(kinds.claims),
    kind: kinds.claims.kind,
    metadata: {
      name: printAddress(address),
      labels: {
        [keys.claimFamily]: address.family,
        ...ownLabels(pool),
        ...(sharers === undefined ? {} : SHAREABLE),
      },
      annotations: {
        ...(sharers === undefined ? {} : { [keys.claimSharers]: printSharers(sharers) }),
        ...(isAdopted === true ? { [keys.claimAdopted]: "true" } : {}),
      },
    },
    spec: { parentRef: sharers === undefined || pool === "" ? parentService(service) : parentPool(pool) },
  };
}

const parentService = (service: ServiceName) => ({ group: "", resource: "services", ...service });

/** The parent can't be changed; a Service may leave an address that others go on sharing, the pool stays. */
function parentPool(pool: string): ReturnType<typeof parentService> {
  const [namespace = "", name = ""] = pool.split("/");
  return { group: keys.metallbGroup, resource: "ipaddresspools", namespace, name };
}

/** What stands on a claim that names sharers. */
const SHAREABLE = { [keys.claimShareable]: "true" };

/** That the claim is Berth's, and of which pool. */
const ownLabels = (pool: string): Readonly<Record<string, string>> => ({
  [keys.claimManagedBy]: keys.claimManager,
  ...poolLabels(pool),
});

function poolLabels(pool: string): Readonly<Record<string, string>> {
  const [namespace = "", name = ""] = pool.split("/");
  return { ...label(keys.claimPool, name), ...label(keys.claimPoolNamespace, namespace) };
}

/** Names may be longer than the 63 characters of a label's value; such a pool goes unlabelled. */
const label = (key: string, value: string): Record<string, string> =>
  value === "" || value.length > 63 ? {} : { [key]: value };

/**
 * What a claim is written with: its sharers where they are given, who takes the address up with that, if anybody does, and
 * the pool that has come to have it, where none had.
 */
type Renewal = {
  readonly sharers: readonly Sharer[] | undefined;
  readonly by?: ServiceName;
  readonly pool?: string | undefined;
};

/**
 * Writes the claim anew, no longer resting. The write changes the claim's revision, so that a release decided before this
 * moment fails. Gives the claim as written; undefined where somebody else has changed it.
 */
export function renewClaim(
  claim: IPAddress,
  { sharers, by, pool }: Renewal,
  cluster: Cluster,
): Promise<IPAddress | undefined> {
  const before = Number(metadataOf(claim).annotations[keys.claimRenewals] ?? "0");
  const renewals = Number.isSafeInteger(before) ? before + 1 : 1;
  const turned = sharers === undefined || by === undefined ? sharers : withTurn(sharers, by, renewals);
  const annotations = {
    [keys.claimRenewals]: String(renewals),
    [keys.claimRestingSince]: null,
    ...(pool === undefined ? {} : { [keys.claimAdopted]: null }),
  };
  const labels = pool === undefined ? {} : poolLabels(pool);
  if (turned === undefined) return amend(claim, { annotations, labels }, cluster);
  const shared = { ...annotations, [keys.claimSharers]: printSharers(turned) };
  return amend(claim, { annotations: shared, labels: { ...labels, ...SHAREABLE } }, cluster);
}

/**
 * Has the claim's labels say that it is Berth's and which pool has its address now, after a pool was renamed or split. False
 * where they did.
 */
export async function relabel(claim: IPAddress, pool: string | undefined, cluster: Cluster): Promise<boolean> {
  const { labels } = metadataOf(claim);
  const gone = { [keys.claimPool]: null, [keys.claimPoolNamespace]: null };
  const own = { ...(pool === undefined ? {} : gone), ...ownLabels(pool ?? "") };
  if (Object.entries(own).every(([key, value]) => (labels[key] ?? null) === value)) return false;
  await amend(claim, { annotations: {}, labels: own }, cluster);
  return true;
}

/** Notes on the claim that nobody needs it since now; undefined where somebody else has changed it. */
export const writeResting = (claim: IPAddress, cluster: Cluster): Promise<IPAddress | undefined> =>
  amend(claim, { annotations: { [keys.claimRestingSince]: new Date().toISOString() } }, cluster);

/** What is written on a claim; null takes away. */
type Amendment = {
  readonly annotations: Readonly<Record<string, string | null>>;
  readonly labels?: Readonly<Record<string, string | null>>;
};

async function amend(
  claim: IPAddress,
  { annotations, labels = {} }: Amendment,
  cluster: Cluster,
): Promise<IPAddress | undefined> {
  const { name, resourceVersion } = metadataOf(claim);
  try {
    const patch = { metadata: { resourceVersion, annotations, labels } };
    const written = await cluster.api.merge(kinds.claims, { name }, patch);
    cluster.claims.accept(written);
    return written;
  } catch (error) {
    if (isNotFound(error)) cluster.claims.drop(claim);
    else if (!isConflict(error)) throw error;
    else await refreshClaim(claim, cluster);
    return undefined;
  }
}

/** Reads the claim as it is now. */
export async function refreshClaim(claim: IPAddress, cluster: Cluster): Promise<void> {
  const fresh = await cluster.api.get(kinds.claims, { name: metadataOf(claim).name });
  if (fresh === undefined) cluster.claims.drop(claim);
  else cluster.claims.accept(fresh);
}

/** Takes the Service off the claim; where it is the last one, the claim goes. False where somebody else has changed it. */
export async function leaveClaim(claim: IPAddress, service: ServiceName, cluster: Cluster): Promise<boolean> {
  const others = without(sharersOf(claimHolder(claim)), service);
  if (others.length === 0) return removeClaim(claim, cluster);
  return (await renewClaim(claim, { sharers: others }, cluster)) !== undefined;
}

/** Deletes the claim. False where somebody else has changed it. */
export async function removeClaim(claim: IPAddress, cluster: Cluster): Promise<boolean> {
  const { name = "", uid, resourceVersion } = claim.metadata ?? {};
  try {
    await cluster.api.remove(kinds.claims, { name }, { uid, resourceVersion });
    cluster.claims.drop(claim);
    return true;
  } catch (error) {
    if (!isConflict(error)) throw error;
    await refreshClaim(claim, cluster);
    return false;
  }
}
