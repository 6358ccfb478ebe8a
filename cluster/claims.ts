/** Turns a request into claims that the API server has recorded. Core chooses, the create decides, a lost race is run again. */
import { printAddress, sameAddress, type Address } from "../core/address/address.ts";
import { rangeContains } from "../core/address/range.ts";
import { allocate, type Allocation } from "../core/allocation/allocate.ts";
import type { ServiceName } from "../core/allocation/holder.ts";
import { sameHolder, serviceHolder } from "../core/allocation/holder.ts";
import type { AllocationRefusal, RequestRefusal } from "../core/allocation/refusal.ts";
import { releaseInMillis } from "../core/allocation/release.ts";
import { readRequest, type ServiceRequest } from "../core/allocation/request.ts";
import { keys } from "../core/keys.ts";
import { ok, type Result } from "../core/result.ts";
import type { Cluster } from "./cluster.ts";
import { isConflict, isNotFound } from "./errors.ts";
import { apiVersionOf, kinds, type IPAddress, type Service } from "./kinds.ts";
import { annotatedAddresses, claimHolder, serviceNameOf } from "./read.ts";

/** Races that one request may lose before it gives up; each one means that somebody else got an address. */
const RACES = 100;

/** How an address is asked for. */
export type ClaimMode = {
  /** Whether nothing may be written: the answer then says what would be given. */
  readonly isDryRun: boolean;
  /** Whether the Service is yet to be stored: a claim that it does not list so far is then renewed, lest it be released. */
  readonly isAdmission: boolean;
};

/** Why a Service gets no address. */
export type ServiceRefusal = RequestRefusal | AllocationRefusal;

/** What the pools at hand would give the Service now, nothing written. */
export function preview(service: Service, cluster: Cluster): Result<Allocation, ServiceRefusal> {
  const request = requestOf(service, cluster);
  return request.ok ? allocate(request.value, cluster.supply()) : request;
}

function requestOf(service: Service, cluster: Cluster): Result<ServiceRequest, RequestRefusal> {
  const name = serviceNameOf(service);
  const request = readRequest(service, cluster.facts(), cluster.namespaceLabels(name.namespace));
  return request.ok ? ok({ ...request.value, held: heldBy(service, cluster) }) : request;
}

/** Those that it lists first: another may be claimed for an update of it that is on its way, and may yet fail. */
function heldBy(service: Service, cluster: Cluster): readonly Address[] {
  const held = cluster.ledger.occupancy.addressesOf(serviceNameOf(service));
  return [...held.filter((address) => lists(service, address)), ...held.filter((address) => !lists(service, address))];
}

const lists = (service: Service, address: Address): boolean =>
  (annotatedAddresses(service) ?? []).some((one) => sameAddress(one, address));

/** The addresses of the Service, claimed in its name. Throws when the API server can't be asked. */
export async function claimAddresses(
  service: Service,
  cluster: Cluster,
  mode: ClaimMode,
): Promise<Result<Allocation, ServiceRefusal>> {
  for (let race = 0; race < RACES; race += 1) {
    const choice = preview(service, cluster);
    if (!choice.ok) {
      if (mode.isDryRun || !(await giveUpAbandoned(choice.error, cluster))) return choice;
    } else if (mode.isDryRun || (await claimAll(choice.value, claimingFor(service, cluster, mode)))) {
      return choice;
    }
  }
  throw new Error(`claim addresses: lost ${String(RACES)} races in a row`);
}

type Claiming = {
  readonly service: ServiceName;
  readonly cluster: Cluster;
  /** Whether a claim on the address that is there already is to be renewed. */
  readonly renews: (address: Address) => boolean;
};

const claimingFor = (service: Service, cluster: Cluster, { isAdmission }: ClaimMode): Claiming => ({
  service: serviceNameOf(service),
  cluster,
  renews: (address) => isAdmission && !lists(service, address),
});

/** Claims all or nothing; false where somebody else was first. */
async function claimAll({ addresses, pool }: Allocation, claiming: Claiming): Promise<boolean> {
  const { service, cluster } = claiming;
  // Before the first await, so that another request of this process can't choose them meanwhile.
  for (const address of addresses) cluster.ledger.reserve(address, service);
  const made: IPAddress[] = [];
  try {
    for (const address of addresses) {
      const claim = await claimOne(address, pool, claiming);
      if (claim === undefined) {
        await Promise.all(made.map((one) => releaseClaim(one, cluster)));
        return false;
      }
      if (claim !== "kept") made.push(claim);
    }
    return true;
  } finally {
    for (const address of addresses) cluster.ledger.unreserve(address, service);
  }
}

/** The claim that was made, "kept" for one that was there, undefined where somebody else has the address. */
async function claimOne(address: Address, pool: string, claiming: Claiming): Promise<IPAddress | "kept" | undefined> {
  const { cluster, service } = claiming;
  const known = cluster.claims.get({ name: printAddress(address) });
  if (known !== undefined && isHeldBy(known, service)) return keep(address, known, claiming);
  try {
    const claim = await cluster.api.create(kinds.claims, newClaim(address, service, pool));
    cluster.claims.accept(claim);
    return claim;
  } catch (error) {
    if (!isConflict(error)) throw error;
    return learn(address, claiming);
  }
}

/** The address turned out to be claimed: by this Service through another process, or by somebody else. */
async function learn(address: Address, claiming: Claiming): Promise<"kept" | undefined> {
  const { service, cluster } = claiming;
  const claim = await cluster.api.get(kinds.claims, { name: printAddress(address) });
  if (claim === undefined) return undefined;
  cluster.claims.accept(claim);
  return isHeldBy(claim, service) ? keep(address, claim, claiming) : undefined;
}

async function keep(address: Address, claim: IPAddress, claiming: Claiming): Promise<"kept" | undefined> {
  const isKept = !claiming.renews(address) || (await renew(claim, claiming.cluster));
  return isKept ? "kept" : undefined;
}

const isHeldBy = (claim: IPAddress, service: ServiceName): boolean =>
  sameHolder(claimHolder(claim), serviceHolder(service));

/** Writes the claim anew, so that a release decided before this moment fails on its resourceVersion. */
async function renew(claim: IPAddress, cluster: Cluster): Promise<boolean> {
  const { name, resourceVersion } = claim.metadata ?? {};
  const renewals = Number(claim.metadata?.annotations?.[keys.claimRenewals] ?? "0") + 1;
  const annotations = { [keys.claimRenewals]: String(renewals) };
  try {
    const patch = { metadata: { resourceVersion, annotations } };
    cluster.claims.accept(await cluster.api.merge(kinds.claims, { name: name ?? "" }, patch));
    return true;
  } catch (error) {
    if (isNotFound(error)) cluster.claims.drop(claim);
    else if (!isConflict(error)) throw error;
    else await refresh(claim, cluster);
    return false;
  }
}

async function refresh(claim: IPAddress, cluster: Cluster): Promise<void> {
  const fresh = await cluster.api.get(kinds.claims, { name: claim.metadata?.name ?? "" });
  if (fresh === undefined) cluster.claims.drop(claim);
  else cluster.claims.accept(fresh);
}

/** Deletes the claim as this process knows it; false where it has changed since. */
export async function releaseClaim(claim: IPAddress, cluster: Cluster): Promise<boolean> {
  const { name, uid, resourceVersion } = claim.metadata ?? {};
  try {
    await cluster.api.remove(kinds.claims, { name: name ?? "" }, { uid, resourceVersion });
    cluster.claims.drop(claim);
    return true;
  } catch (error) {
    if (!isConflict(error)) throw error;
    await refresh(claim, cluster);
    return false;
  }
}

/** Whether a pin failed only on a Service that is deleted: its claim lingers for it to come back, but yields to a pin. */
async function giveUpAbandoned(refusal: ServiceRefusal, cluster: Cluster): Promise<boolean> {
  if (refusal.kind !== "pinHeld" || refusal.holder.kind !== "service") return false;
  const claim = cluster.claims.get({ name: printAddress(refusal.address) });
  if (claim === undefined) return false;
  const state = cluster.history.stateOf(claim, cluster.services.get(refusal.holder));
  const isAbandoned = state.service === "absent" && (state.deletedMillisAgo !== undefined || isDue(state));
  return isAbandoned && (await releaseClaim(claim, cluster));
}

const isDue = (state: Parameters<typeof releaseInMillis>[0]): boolean => (releaseInMillis(state) ?? 1) <= 0;

function newClaim(address: Address, service: ServiceName, pool: string): IPAddress {
  const [poolNamespace = "", poolName = ""] = pool.split("/");
  return {
    apiVersion: apiVersionOf(kinds.claims),
    kind: kinds.claims.kind,
    metadata: {
      name: printAddress(address),
      labels: {
        [keys.claimManagedBy]: keys.claimManager,
        [keys.claimFamily]: address.family,
        ...label(keys.claimPool, poolName),
        ...label(keys.claimPoolNamespace, poolNamespace),
      },
    },
    spec: { parentRef: { group: "", resource: "services", ...service } },
  };
}

/** Names may be longer than the 63 characters of a label's value; such a pool goes unlabelled. */
const label = (key: string, value: string): Record<string, string> =>
  value === "" || value.length > 63 ? {} : { [key]: value };

/** Claims addresses that the Service already has, whatever pool they are of; those that somebody else has are left out. */
export async function adoptAddresses(service: Service, addresses: readonly Address[], cluster: Cluster): Promise<void> {
  const claiming = claimingFor(service, cluster, { isDryRun: false, isAdmission: false });
  for (const address of addresses) {
    if (isTaken(address, claiming)) continue;
    const pool = cluster
      .usablePools()
      .usable.find(({ ranges }) => ranges.some((range) => rangeContains(range, address)));
    await claimOne(address, pool?.key ?? "", claiming);
  }
}

/** Another Service that only says that it has the address is no owner: the caller decides which one comes first. */
function isTaken(address: Address, { service, cluster }: Claiming): boolean {
  const holder = cluster.ledger.occupancy.holderOf(address);
  if (holder === undefined || sameHolder(holder, serviceHolder(service))) return false;
  return holder.kind === "other" || cluster.claims.get({ name: printAddress(address) }) !== undefined;
}
