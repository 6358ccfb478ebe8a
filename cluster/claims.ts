/** Turns a request into claims that the API server has recorded. Core chooses, the write decides, a lost race is run again. */
import { printAddress, sameAddress, type Address } from "../core/address/address.ts";
import { allocate, type Allocation } from "../core/allocation/allocate.ts";
import { isHeldBy, type ServiceName, type Sharer } from "../core/allocation/holder.ts";
import type { AllocationRefusal, RequestRefusal } from "../core/allocation/refusal.ts";
import { readRequest, type ServiceRequest } from "../core/allocation/request.ts";
import { findObstacle, sharersOf, withTerms } from "../core/allocation/sharing.ts";
import { readTerms, type SharingTerms } from "../core/allocation/terms.ts";
import { err, ok, type Result } from "../core/result.ts";
import { createClaim, leaveClaim, writeSharers } from "./claim-writes.ts";
import type { Cluster } from "./cluster.ts";
import { kinds, type IPAddress, type Service } from "./kinds.ts";
import {
  annotatedAddresses,
  claimHolder,
  findDoubled,
  holderOnTerms,
  isResting,
  isShareable,
  listedAddresses,
  serviceNameOf,
} from "./read.ts";
import { giveUpAbandoned } from "./release.ts";

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
  if (!request.ok) return request;
  const doubled = request.value.pins.length > 0 ? undefined : findDoubled(service, cluster.ledger.occupancy);
  if (doubled !== undefined) return err({ kind: "addressDoubled", service: request.value.service, ...doubled });
  return allocate(request.value, cluster.supply());
}

/** What the Service asks for and holds. */
export function requestOf(service: Service, cluster: Cluster): Result<ServiceRequest, RequestRefusal> {
  const name = serviceNameOf(service);
  const request = readRequest(service, cluster.facts(), cluster.namespaceLabels(name.namespace));
  return request.ok ? ok({ ...request.value, held: heldBy(service, cluster) }) : request;
}

/** Those that it lists first, in its order: another may be claimed for an update that is on its way, and may yet fail. */
function heldBy(service: Service, cluster: Cluster): readonly Address[] {
  const held = cluster.ledger.occupancy.addressesOf(serviceNameOf(service));
  const listed = listedAddresses(service);
  const isIn = (list: readonly Address[], address: Address): boolean => list.some((one) => sameAddress(one, address));
  return [...listed.filter((address) => isIn(held, address)), ...held.filter((address) => !isIn(listed, address))];
}

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
  readonly terms: SharingTerms;
  readonly cluster: Cluster;
  /** Whether a claim on the address that is there already is to be renewed. */
  readonly renews: (address: Address) => boolean;
};

const claimingFor = (service: Service, cluster: Cluster, { isAdmission }: ClaimMode): Claiming => ({
  service: serviceNameOf(service),
  terms: readTerms(service),
  cluster,
  renews: (address) =>
    isAdmission && !(annotatedAddresses(service) ?? []).some((listed) => sameAddress(listed, address)),
});

/** A claim that was there, or one that this made or changed; undefined where somebody else has the address. */
type Claimed = "kept" | "taken" | undefined;

/** Claims all or nothing; false where somebody else was first. */
async function claimAll({ addresses, pool }: Allocation, claiming: Claiming): Promise<boolean> {
  const { service, terms, cluster } = claiming;
  // Before the first await, so that another request of this process can't choose them meanwhile.
  for (const address of addresses) cluster.ledger.reserve(address, service, holderOnTerms(service, terms));
  const taken: Address[] = [];
  try {
    for (const address of addresses) {
      const claimed = await claimOne(address, pool, claiming);
      if (claimed === undefined) {
        await Promise.all(taken.map((one) => giveBack(one, claiming)));
        return false;
      }
      if (claimed === "taken") taken.push(address);
    }
    return true;
  } finally {
    for (const address of addresses) cluster.ledger.unreserve(address, service);
  }
}

/** Where that fails, somebody else has written the claim, and the Service's part in it goes after the grace. */
async function giveBack(address: Address, { service, cluster }: Claiming): Promise<void> {
  const claim = claimOn(address, cluster);
  if (claim !== undefined) await leaveClaim(claim, service, cluster);
}

const claimOn = (address: Address, cluster: Cluster): IPAddress | undefined =>
  cluster.claims.get({ name: printAddress(address) });

async function claimOne(address: Address, pool: string, claiming: Claiming): Promise<Claimed> {
  const { cluster, service, terms } = claiming;
  const known = claimOn(address, cluster);
  if (known !== undefined) return takeUp(address, known, claiming);
  if ((await createClaim({ address, pool, service, terms }, cluster)) !== undefined) return "taken";
  const claim = await cluster.api.get(kinds.claims, { name: printAddress(address) });
  if (claim === undefined) return undefined;
  cluster.claims.accept(claim);
  return takeUp(address, claim, claiming);
}

/** The address is claimed: by this Service, earlier or through another process, by those it may share with, or by others. */
async function takeUp(address: Address, claim: IPAddress, claiming: Claiming): Promise<Claimed> {
  const { service, terms, cluster } = claiming;
  const holder = claimHolder(claim);
  // Whether the pool lets namespaces share has been seen to when the address was chosen.
  if (findObstacle(holder, { service, terms, crossesNamespaces: true }) !== undefined) return undefined;
  const isOwn = isHeldBy(holder, service);
  const sharers = nextSharers(claim, claiming);
  if (isOwn && sharers === undefined && !isResting(claim) && !claiming.renews(address)) return "kept";
  if (!(await writeSharers(claim, sharers, cluster))) return undefined;
  return isOwn ? "kept" : "taken";
}

/** The sharers to write; undefined where they stand so already, or where the parent of the claim says it all. */
function nextSharers(claim: IPAddress, { service, terms }: Claiming): readonly Sharer[] | undefined {
  const holder = claimHolder(claim);
  if (holder.kind === "service" && terms.key === "" && !isShareable(claim)) return undefined;
  const before = isResting(claim) ? [] : sharersOf(holder);
  const after = withTerms(before, service, terms);
  return JSON.stringify(before) === JSON.stringify(after) ? undefined : after;
}

/**
 * Claims addresses that the Service already has, whatever pool they are of; those that somebody else has, and does not
 * share with it, are left out.
 */
export async function adoptAddresses(service: Service, addresses: readonly Address[], cluster: Cluster): Promise<void> {
  const claiming = claimingFor(service, cluster, { isDryRun: false, isAdmission: false });
  for (const address of addresses) {
    const holder = cluster.ledger.occupancy.holderOf(address);
    // Another Service that only says that it has the address is no owner: the caller decides which one comes first.
    if (holder?.kind === "other") continue;
    await claimOne(address, cluster.poolOf(address)?.key ?? "", claiming);
  }
}
