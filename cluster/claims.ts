/** Turns a request into claims that the API server has recorded. Core chooses, the write decides, a lost race is run again. */
import { printAddress, sameAddress, type Address } from "../core/address/address.ts";
import { inOrderOf } from "../core/address/list.ts";
import { allocate, type Allocation } from "../core/allocation/allocate.ts";
import {
  isHeldBy,
  sameService,
  serviceHolder,
  type Holder,
  type ServiceName,
  type Sharer,
} from "../core/allocation/holder.ts";
import type { AllocationRefusal, RequestRefusal } from "../core/allocation/refusal.ts";
import { acrossIn, type Supply } from "../core/allocation/supply.ts";
import { readRequest, type ServiceRequest } from "../core/allocation/request.ts";
import { findObstacle, sharersOf, withTerms, type Across } from "../core/allocation/sharing.ts";
import { readTerms, sameTerms, type SharingTerms } from "../core/allocation/terms.ts";
import { err, ok, type Result } from "../core/result.ts";
import { createClaim, leaveClaim, refreshClaim, renewClaim, type NewClaim } from "./claim-writes.ts";
import type { Cluster } from "./cluster.ts";
import { kinds, type IPAddress, type Service } from "./kinds.ts";
import { findAnchored } from "./kept.ts";
import { mendClaim } from "./mend.ts";
import {
  annotatedAddresses,
  claimHolder,
  findDoubled,
  isAdoptedClaim,
  isResting,
  isShareable,
  isUntouched,
  listedAddresses,
  lists,
  serviceNameOf,
  statusAddresses,
} from "./read.ts";
import { giveUpAbandoned } from "./release.ts";

/** Races that one request may lose before it gives up; each one means that somebody else got an address. */
const RACES = 100;

/** How an address is asked for. */
export type ClaimMode = {
  /** Whether nothing may be written: the answer then says what would be given. */
  readonly isDryRun: boolean;
};

/** Why a Service gets no address. */
export type ServiceRefusal = RequestRefusal | AllocationRefusal;

/** What the pools at hand would give the Service now, nothing written. */
export const preview = (service: Service, cluster: Cluster): Result<Allocation, ServiceRefusal> =>
  choose(service, cluster, cluster.supply());

function choose(service: Service, cluster: Cluster, supply: Supply): Result<Allocation, ServiceRefusal> {
  const request = requestOf(service, cluster);
  if (!request.ok) return request;
  const { pins } = request.value;
  const doubled = findDoubled(service, cluster.ledger.occupancy);
  // One that asks for another address is to have that.
  if (doubled === undefined || (pins.length > 0 && !pins.some((pin) => sameAddress(pin, doubled.address))))
    return allocate(request.value, supply);
  return err({ kind: "addressDoubled", service: request.value.service, ...doubled });
}

/** What the Service asks for and holds. */
export function requestOf(service: Service, cluster: Cluster): Result<ServiceRequest, RequestRefusal> {
  const name = serviceNameOf(service);
  const request = readRequest(service, cluster.facts(), cluster.namespaceLabels(name.namespace));
  if (!request.ok) return request;
  const listed = listedBy(service, cluster);
  const held = [...listed, ...claimedBesides(listed, service, request.value.pins, cluster)];
  return ok({ ...request.value, held, listed, anchored: findAnchored(service, request.value.families, cluster) });
}

/**
 * Those that it lists, in its order. One that it lists is its own also while this process knows of no holder: the claim may
 * be newer than what was heard.
 */
function listedBy(service: Service, { ledger: { occupancy } }: Cluster): readonly Address[] {
  const name = serviceNameOf(service);
  return listedAddresses(service).filter((address) => {
    const holder = occupancy.holderOf(address);
    return holder === undefined || isHeldBy(holder, name);
  });
}

/**
 * Others may be claimed for an update that is on its way, and may yet fail. When that is tried again, these are in the order
 * in which they were given.
 */
function claimedBesides(
  listed: readonly Address[],
  service: Service,
  pins: readonly Address[],
  { ledger: { occupancy } }: Cluster,
): readonly Address[] {
  const claimed = occupancy.addressesOf(serviceNameOf(service));
  return inOrderOf(
    pins,
    claimed.filter((address) => !listed.some((one) => sameAddress(one, address))),
  );
}

/** The addresses of the Service, claimed in its name. Throws when the API server can't be asked. */
export async function claimAddresses(
  service: Service,
  cluster: Cluster,
  mode: ClaimMode,
): Promise<Result<Allocation, ServiceRefusal>> {
  if (mode.isDryRun) return preview(service, cluster);
  await askAboutLost(service, cluster);
  await joinSharers(service, cluster);
  for (let race = 0; race < RACES; race += 1) {
    const choice = choose(service, cluster, cluster.contendedSupply());
    if (!choice.ok) {
      if (!(await giveUpAbandoned(choice.error, cluster))) return choice;
    } else if (await claimAll(choice.value, claimingFor(service, cluster))) {
      return choice;
    }
  }
  throw new Error(`claim addresses: lost ${String(RACES)} races in a row`);
}

/**
 * A listed address that somebody else seems to have is asked about first: what this process has heard may be old, and a
 * claim that was damaged by hand says nothing.
 */
async function askAboutLost(service: Service, cluster: Cluster): Promise<void> {
  const name = serviceNameOf(service);
  for (const address of annotatedAddresses(service) ?? []) {
    const holder = cluster.ledger.occupancy.holderOf(address);
    const known = cluster.claims.get({ name: printAddress(address) });
    if (known === undefined || holder === undefined || isHeldBy(holder, name)) continue;
    await refreshClaim(known, cluster);
    await mendClaim(known, cluster);
  }
}

/** One that has an address from before Berth comes in on it once those who hold it share it: nobody loses anything by that. */
async function joinSharers(service: Service, cluster: Cluster): Promise<void> {
  if (!isUntouched(service) || findDoubled(service, cluster.ledger.occupancy) !== undefined) return;
  const shared = statusAddresses(service).filter((address) => {
    const holder = cluster.ledger.occupancy.holderOf(address);
    return holder?.kind === "shared" && !isHeldBy(holder, serviceNameOf(service));
  });
  await adoptAddresses(service, shared, cluster);
}

type Claiming = {
  readonly service: ServiceName;
  readonly terms: SharingTerms;
  readonly cluster: Cluster;
  /** Whether the Service had its addresses before Berth. */
  readonly isAdopting: boolean;
  /** Whether a claim on the address that is there already is to be renewed. */
  readonly renews: (address: Address) => boolean;
};

const claimingFor = (service: Service, cluster: Cluster, isAdopting = false): Claiming => ({
  service: serviceNameOf(service),
  terms: readTerms(service),
  cluster,
  isAdopting,
  // Lest it be released: a request may yet have to be stored, and a process that lags may think the Service is gone.
  renews: (address) => !lists(service, address),
});

/** A claim that the Service had, or one that this made or came in on; undefined where somebody else has the address. */
type Claimed = "kept" | IPAddress | undefined;

/** Claims all or nothing; false where somebody else was first. */
async function claimAll({ addresses, pool }: Allocation, claiming: Claiming): Promise<boolean> {
  const { service, cluster } = claiming;
  // Of two pools where the Service keeps what it had of each.
  const poolFor = (address: Address): string => cluster.poolOf(address)?.key ?? pool;
  const wanted = addresses.map((address) => ({
    address,
    pool: poolFor(address),
    sharers: sharersToBe(address, claiming),
  }));
  // Before the first await, so that another request of this process can't choose them meanwhile.
  for (const { address, sharers } of wanted) cluster.ledger.reserve(address, service, holderAmong(sharers, service));
  const taken: IPAddress[] = [];
  const round = cluster.contention.begun();
  try {
    for (const one of wanted) {
      const claimed = await claimOne(one, claiming);
      if (claimed === undefined) {
        cluster.contention.lost(one.address, round);
        // Where that fails, somebody else has written the claim, and the Service's part in it goes after the grace.
        await Promise.all(taken.map((one) => leaveClaim(one, service, cluster)));
        return false;
      }
      if (claimed !== "kept") taken.push(claimed);
    }
    return true;
  } finally {
    cluster.contention.ended();
    for (const address of addresses) cluster.ledger.unreserve(address, service);
  }
}

/**
 * The sharers of an address that is to be claimed; undefined where the Service wants it for itself. Those that Berth gave
 * it to and that no claim names any more are among them: who is of another namespace would not be let in again.
 */
function sharersToBe(address: Address, { service, terms, cluster }: Claiming): readonly Sharer[] | undefined {
  if (terms.key === "") return undefined;
  const holder = cluster.ledger.occupancy.holderOf(address);
  const isClaimed = cluster.claims.get({ name: printAddress(address) }) !== undefined;
  const isOpen = holder?.kind === "shared" && findObstacle(holder, { service, terms, across: "adopted" }) === undefined;
  const others = isClaimed || !isOpen ? [] : holder.sharers;
  return withTerms(
    others.filter((sharer) => lists(cluster.services.get(sharer), address)),
    service,
    terms,
  );
}

const holderAmong = (sharers: readonly Sharer[] | undefined, service: ServiceName): Holder =>
  sharers === undefined ? serviceHolder(service) : { kind: "shared", sharers };

/** An address that is to be claimed: the pool as namespace/name, and its sharers where it comes to be a claim of several. */
type Wanted = Omit<NewClaim, "service">;

async function claimOne(wanted: Wanted, claiming: Claiming): Promise<Claimed> {
  const { cluster, service } = claiming;
  const { address } = wanted;
  const known = cluster.claims.get({ name: printAddress(address) });
  if (known !== undefined) return takeUp(address, known, claiming);
  const created = await createClaim({ ...wanted, service }, cluster);
  if (created !== undefined) return created;
  const claim = await cluster.api.get(kinds.claims, { name: printAddress(address) });
  if (claim === undefined) return undefined;
  cluster.claims.accept(claim);
  return takeUp(address, claim, claiming);
}

/** The address is claimed: by this Service, earlier or through another process, by those it may share with, or by others. */
async function takeUp(address: Address, claim: IPAddress, claiming: Claiming): Promise<Claimed> {
  const { service, terms, cluster } = claiming;
  const holder = claimHolder(claim);
  if (findObstacle(holder, { service, terms, across: acrossFor(address, claiming) }) !== undefined) return undefined;
  const isOwn = isHeldBy(holder, service);
  const pool = poolComeTo(address, claim, cluster);
  const isSame = isOwn && hasTerms(holder, claiming) && !isResting(claim) && !claiming.renews(address);
  if (isSame && pool === undefined) return "kept";
  const sharers = nextSharers(claim, claiming);
  const written = await renewClaim(claim, { sharers, by: service, pool }, cluster);
  return isOwn && written !== undefined ? "kept" : written;
}

const acrossFor = (address: Address, { isAdopting, cluster }: Claiming): Across =>
  isAdopting ? "adopted" : acrossIn(cluster.poolOf(address));

/** The pool that has come to have an address that was adopted when none had it. */
const poolComeTo = (address: Address, claim: IPAddress, cluster: Cluster): string | undefined =>
  isAdoptedClaim(claim) ? cluster.poolOf(address)?.key : undefined;

/** Whether the holder is bound by the terms already; a Service that has the address for itself is bound by none. */
function hasTerms(holder: Holder, { service, terms }: Claiming): boolean {
  if (holder.kind !== "shared") return terms.key === "";
  const bound = holder.sharers.find((sharer) => sameService(sharer, service))?.terms ?? [];
  return bound.some((one) => sameTerms(one, terms));
}

/** The sharers to write; undefined where the parent of the claim says it all. */
function nextSharers(claim: IPAddress, { service, terms }: Claiming): readonly Sharer[] | undefined {
  if (terms.key === "" && !isShareable(claim)) return undefined;
  return withTerms(isResting(claim) ? [] : sharersOf(claimHolder(claim)), service, terms);
}

/**
 * Claims addresses that the Service already has, whatever pool they are of; those that somebody else has, and does not
 * share with it, are left out.
 */
export async function adoptAddresses(service: Service, addresses: readonly Address[], cluster: Cluster): Promise<void> {
  const claiming = claimingFor(service, cluster, true);
  for (const address of addresses) {
    const holder = cluster.ledger.occupancy.holderOf(address);
    // Another Service that only says that it has the address is no owner: the caller decides which one comes first.
    if (holder?.kind === "other") continue;
    const pool = cluster.poolOf(address)?.key ?? cluster.inertPoolOf(address) ?? "";
    const isAdopted = pool === "" && cluster.isAdopted(address, service);
    await claimOne({ address, pool, sharers: sharersToBe(address, claiming), isAdopted }, claiming);
  }
}
