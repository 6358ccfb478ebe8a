/** Which addresses a Service is to have: those it asks for, else those it holds, else the lowest free. Takes nothing. */
import type { Address, Family } from "../address/address.ts";
import { isBuggyAddress } from "../address/address.ts";
import { rangeContains } from "../address/range.ts";
import type { Pool } from "../pool/pool.ts";
import { poolsFor, whyNotServed } from "../pool/serve.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import { sameHolder, serviceHolder } from "./holder.ts";
import { choosePinned } from "./pinned.ts";
import type { AllocationRefusal } from "./refusal.ts";
import type { ServiceRequest } from "./request.ts";
import type { Supply } from "./supply.ts";
import { lowestFreeIn, poolUse } from "./supply.ts";

/** The addresses a Service is to have, in the order of its families, and their pool (namespace/name). */
export type Allocation = { readonly pool: string; readonly addresses: readonly Address[] };

/**
 * The addresses for the request, all of one pool. Nothing is taken, so the same question has the same answer.
 * Asked for: exactly those, a family without one being filled from the same pool. Held: kept while the pool still has
 * them and may serve the Service. Else the lowest free of the first pool that has them, in poolsFor's order.
 */
export function allocate(request: ServiceRequest, supply: Supply): Result<Allocation, AllocationRefusal> {
  const named = checkPools(request, supply);
  if (named !== undefined) return err(named);
  if (request.pins.length > 0) return allocatePinned(request, supply);
  return keepHeld(request, supply) ?? allocateFree(request, supply);
}

/** What stands against the request before any address is looked at. */
function checkPools(request: ServiceRequest, { pools, anyPool }: Supply): AllocationRefusal | undefined {
  const { service, poolName } = request;
  if (pools.length === 0) return { kind: "noPools", service, anyPool: anyPool ?? false };
  if (poolName === undefined) return undefined;
  const namesakes = pools.filter((pool) => pool.name === poolName);
  const [first] = namesakes;
  if (first === undefined) {
    return { kind: "unknownPool", service, named: poolName, known: pools.map((pool) => pool.name).toSorted() };
  }
  const problem = whyNotServed(first, request);
  if (problem === undefined || namesakes.some((pool) => whyNotServed(pool, request) === undefined)) return undefined;
  return { kind: "poolMayNotServe", service, pool: first.key, problem };
}

function allocatePinned(request: ServiceRequest, supply: Supply): Result<Allocation, AllocationRefusal> {
  const pinned = choosePinned(request, supply);
  if (!pinned.ok) return pinned;
  const pool = pinned.value;
  const addresses = fill(pool, request, supply);
  if (isEnough(addresses, request)) return ok({ pool: pool.key, addresses });
  const { service, pinSource: source, pins } = request;
  const missing = request.families.filter((family) => !pool.ranges.some((range) => range.first.family === family));
  if (missing.length > 0) return err({ kind: "pinPoolLacksFamily", service, source, pins, pool: pool.key, missing });
  return err(whyNone(request, [pool], supply));
}

/** The first pool that may go on serving an address the Service holds, if the rest it needs is to be had there. */
function keepHeld(request: ServiceRequest, supply: Supply): Result<Allocation, AllocationRefusal> | undefined {
  for (const family of request.families) {
    for (const address of request.held.filter((held) => held.family === family)) {
      const pool = supply.pools.find((candidate) => mayKeep(address, candidate, request, supply));
      const addresses = pool === undefined ? [] : fill(pool, request, supply);
      if (pool !== undefined && isEnough(addresses, request)) return ok({ pool: pool.key, addresses });
    }
  }
  return undefined;
}

/** Nothing is missing, or one family will do; there always is one here, the pinned or the held. */
const isEnough = (addresses: readonly Address[], request: ServiceRequest): boolean =>
  addresses.length === request.families.length || !request.needsAllFamilies;

function mayKeep(address: Address, pool: Pool, request: ServiceRequest, { occupancy }: Supply): boolean {
  if (!pool.ranges.some((range) => rangeContains(range, address))) return false;
  if (request.poolName !== undefined && request.poolName !== pool.name) return false;
  if (pool.avoidBuggyIps && isBuggyAddress(address)) return false;
  const holder = occupancy.holderOf(address);
  const isOurs = holder === undefined || sameHolder(holder, serviceHolder(request.service));
  return isOurs && whyNotServed(pool, request) === undefined;
}

/** What the pool has for the families, in their order: the address asked for, else the held one, else the lowest free. */
function fill(pool: Pool, request: ServiceRequest, supply: Supply): readonly Address[] {
  return request.families.flatMap((family) => {
    const pin = request.pins.find((address) => address.family === family);
    const held = request.held.find((address) => address.family === family && mayKeep(address, pool, request, supply));
    const address = pin ?? held ?? lowestFreeIn(pool, family, supply);
    return address === undefined ? [] : [address];
  });
}

function allocateFree(request: ServiceRequest, supply: Supply): Result<Allocation, AllocationRefusal> {
  const { service, families, needsAllFamilies } = request;
  const candidates = poolsFor(request, supply.pools);
  if (candidates.length === 0) {
    return err({ kind: "noEligiblePool", service, pools: supply.pools.map((pool) => pool.key) });
  }
  const whole = firstServing(candidates, request, families, supply);
  if (whole !== undefined) return ok(whole);
  const singles = needsAllFamilies ? [] : families;
  for (const family of singles) {
    const single = firstServing(candidates, request, [family], supply);
    if (single !== undefined) return ok(single);
  }
  return err(whyNone(request, candidates, supply));
}

function firstServing(
  candidates: readonly Pool[],
  request: ServiceRequest,
  families: readonly Family[],
  supply: Supply,
): Allocation | undefined {
  for (const pool of candidates) {
    const addresses = fill(pool, { ...request, families }, supply);
    if (addresses.length === families.length) return { pool: pool.key, addresses };
  }
  return undefined;
}

/** Why no candidate has what the request needs: it lacks a family, or it is full. */
function whyNone(request: ServiceRequest, candidates: readonly Pool[], supply: Supply): AllocationRefusal {
  const { service, families, needsAllFamilies } = request;
  const suits = (pool: Pool): boolean => {
    const has = (family: Family): boolean => pool.ranges.some((range) => range.first.family === family);
    return needsAllFamilies ? families.every(has) : families.some(has);
  };
  const suitable = candidates.filter(suits);
  if (suitable.length === 0) {
    return { kind: "noPoolForFamily", service, families, pools: candidates.map((pool) => pool.key) };
  }
  return { kind: "poolsFull", service, families, pools: suitable.map((pool) => poolUse(pool, families, supply)) };
}
