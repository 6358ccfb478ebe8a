/** Which addresses a Service is to have: those it asks for, else those it holds, else the lowest free. Takes nothing. */
import { sameAddress, type Address, type Family } from "../address/address.ts";
import { inOrderOf } from "../address/list.ts";
import type { InertPool } from "../pool/overlap.ts";
import type { Pool } from "../pool/pool.ts";
import { isNamed, poolsFor, whyNotServed } from "../pool/serve.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import { choosePinned } from "./pinned.ts";
import type { AllocationRefusal } from "./refusal.ts";
import type { ServiceRequest } from "./request.ts";
import type { Supply } from "./supply.ts";
import { findObstacleIn, hasAddress, lowestFreeIn, lowestShareableIn, poolUse } from "./supply.ts";

/**
 * The addresses a Service is to have, and the pool of the first of them (namespace/name). Their order is stable: those it
 * has in the order in which it lists them, then those it asks for as written, then IPv4 before IPv6.
 */
export type Allocation = { readonly pool: string; readonly addresses: readonly Address[] };

/**
 * The addresses for the request, of one pool but for those that it keeps. Nothing is taken, so the same question has the same answer.
 * Asked for: exactly those, a family without one being filled from the same pool. Held: kept while the pool still has
 * them and may serve the Service; also those of two pools, where the Service had one of each before Berth or its pool was
 * split. Else, for a Service that shares, one that already carries its key. Else the lowest free
 * of the first pool that has them, in poolsFor's order.
 */
export function allocate(request: ServiceRequest, supply: Supply): Result<Allocation, AllocationRefusal> {
  const standing = findAnchored(request, supply) ?? checkPools(request, supply);
  if (standing !== undefined) return err(standing);
  if (request.pins.length > 0) return allocatePinned(request, supply);
  return keepListed(request, supply) ?? keepHeld(request, supply) ?? allocateFree(request, supply);
}

/**
 * That the Service keeps what no usable pool has, unless it asks for something else. It gets nothing beside that: both
 * addresses are of one pool.
 */
function findAnchored(request: ServiceRequest, { pools }: Supply): AllocationRefusal | undefined {
  const { service, pins, poolName, families, anchored } = request;
  if (anchored === undefined) return undefined;
  const { anchor, addresses } = anchored;
  // Where there are pools, what stands against the pins is to be said.
  const isPinned = pools.length === 0 && pins.every((pin) => addresses.some((address) => sameAddress(address, pin)));
  if (pins.length > 0 && !isPinned) return undefined;
  const isAtHome = poolName === undefined || (anchor.kind === "inert" && isNamed(anchor.pool, poolName));
  if (!isAtHome) return undefined;
  if (!isEnough(addresses, request))
    return { kind: "noPoolForFamily", service, families, pools: pools.map(({ key }) => key) };
  return anchor.kind === "inert"
    ? { kind: "poolInert", service, pool: anchor.pool.key, kept: addresses }
    : { kind: "addressOfNoPool", service, addresses };
}

/** What stands against the request before any address is looked at. */
function checkPools(request: ServiceRequest, supply: Supply): AllocationRefusal | undefined {
  const { service, poolName } = request;
  const { pools, anyPool } = supply;
  const inert = findInertNamed(request, supply);
  if (inert !== undefined) return { kind: "poolInert", service, pool: inert.key, kept: [] };
  if (pools.length === 0) return { kind: "noPools", service, anyPool: anyPool ?? false };
  if (poolName === undefined) return undefined;
  const [named, namesake] = pools.filter((pool) => isNamed(pool, poolName));
  if (named === undefined) {
    return { kind: "unknownPool", service, named: poolName, known: pools.map((pool) => pool.name).toSorted() };
  }
  if (namesake !== undefined) {
    const candidates = pools.filter((pool) => isNamed(pool, poolName)).map((pool) => pool.key);
    return { kind: "ambiguousPool", service, named: poolName, candidates: candidates.toSorted() };
  }
  const problem = whyNotServed(named, request);
  return problem === undefined ? undefined : { kind: "poolMayNotServe", service, pool: named.key, problem };
}

/** The pool that the Service names, where it gives nothing; a usable one of that name comes first. */
function findInertNamed({ poolName }: ServiceRequest, { pools, inert = [] }: Supply): InertPool | undefined {
  if (poolName === undefined || pools.some((pool) => isNamed(pool, poolName))) return undefined;
  return inert.find((pool) => isNamed(pool, poolName));
}

function allocatePinned(request: ServiceRequest, supply: Supply): Result<Allocation, AllocationRefusal> {
  const pinned = choosePinned(request, supply);
  if (!pinned.ok) return pinned;
  const pool = pinned.value;
  const addresses = fill(pool, request, supply);
  if (isEnough(addresses, request)) return ok(inOrder(pool, addresses, request));
  const { service, pinSource: source, pins } = request;
  const missing = request.families.filter((family) => !pool.ranges.some((range) => range.first.family === family));
  if (missing.length > 0) return err({ kind: "pinPoolLacksFamily", service, source, pins, pool: pool.key, missing });
  return err(whyNone(request, [pool], supply));
}

/** What it has of every family it wants, where some pool lets it keep each. */
function keepListed(request: ServiceRequest, supply: Supply): Result<Allocation, AllocationRefusal> | undefined {
  const { families, listed = [] } = request;
  const kept = families.flatMap((family) => {
    const ofFamily = listed.filter((address) => address.family === family);
    const found = ofFamily.flatMap((address) => {
      const pool = poolKeeping(address, request, supply);
      return pool === undefined ? [] : [{ address, pool }];
    });
    return found.slice(0, 1);
  });
  if (kept.length !== families.length) return undefined;
  const addresses = inOrderOf(
    listed,
    kept.map(({ address }) => address),
  );
  const first = kept.find(({ address }) => address === addresses[0]);
  return first === undefined ? undefined : ok({ pool: first.pool.key, addresses });
}

/** The first pool that may go on serving an address the Service holds, if the rest it needs is to be had there. */
function keepHeld(request: ServiceRequest, supply: Supply): Result<Allocation, AllocationRefusal> | undefined {
  for (const family of request.families) {
    for (const address of request.held.filter((held) => held.family === family)) {
      const pool = poolKeeping(address, request, supply);
      const addresses = pool === undefined ? [] : fill(pool, request, supply);
      if (pool !== undefined && isEnough(addresses, request)) return ok(inOrder(pool, addresses, request));
    }
  }
  return undefined;
}

/** Nothing is missing, or one family will do; there always is one here, the pinned or the held. */
const isEnough = (addresses: readonly Address[], request: ServiceRequest): boolean =>
  addresses.length === request.families.length || !request.needsAllFamilies;

const poolKeeping = (address: Address, request: ServiceRequest, supply: Supply): Pool | undefined =>
  supply.pools.find((candidate) => mayKeep(address, candidate, request, supply));

function mayKeep(address: Address, pool: Pool, request: ServiceRequest, supply: Supply): boolean {
  if (!hasAddress(pool, address)) return false;
  if (request.poolName !== undefined && !isNamed(pool, request.poolName)) return false;
  return whyNotServed(pool, request) === undefined && findObstacleIn(pool, address, request, supply) === undefined;
}

/** The allocation with its addresses in the order that {@link Allocation} promises. */
const inOrder = (pool: Pool, addresses: readonly Address[], { held, pins }: ServiceRequest): Allocation => ({
  pool: pool.key,
  addresses: inOrderOf([...held, ...pins], addresses),
});

/** What the pool has for each family: the address asked for, else the held one, else a shared one, else the lowest free. */
function fill(pool: Pool, request: ServiceRequest, supply: Supply): readonly Address[] {
  return request.families.flatMap((family) => {
    const pin = request.pins.find((address) => address.family === family);
    const held = request.held.find((address) => address.family === family && mayKeep(address, pool, request, supply));
    const address =
      pin ?? held ?? lowestShareableIn(pool, family, request, supply) ?? lowestFreeIn(pool, family, supply);
    return address === undefined ? [] : [address];
  });
}

function allocateFree(request: ServiceRequest, supply: Supply): Result<Allocation, AllocationRefusal> {
  const { service, families, needsAllFamilies } = request;
  const candidates = sharedFirst(poolsFor(request, supply.pools), request, supply);
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

/** The pools in which more families have an address that carries the request's key come first. */
function sharedFirst(pools: readonly Pool[], request: ServiceRequest, supply: Supply): readonly Pool[] {
  if (request.terms.key === "") return pools;
  const count = (pool: Pool): number =>
    request.families.filter((family) => lowestShareableIn(pool, family, request, supply) !== undefined).length;
  const counted = pools.map((pool) => ({ pool, shared: count(pool) }));
  return counted.toSorted((a, b) => b.shared - a.shared).map(({ pool }) => pool);
}

function firstServing(
  candidates: readonly Pool[],
  request: ServiceRequest,
  families: readonly Family[],
  supply: Supply,
): Allocation | undefined {
  for (const pool of candidates) {
    const addresses = fill(pool, { ...request, families }, supply);
    if (addresses.length === families.length) return inOrder(pool, addresses, request);
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
