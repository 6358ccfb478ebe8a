/** Whether the addresses that a Service asks for are to be had, and from which pool. */
import type { Address, Family } from "../address/address.ts";
import { isBuggyAddress } from "../address/address.ts";
import { rangesContain } from "../address/range.ts";
import type { Pool } from "../pool/pool.ts";
import { isNamed, poolsFor, whyNotServed } from "../pool/serve.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { ServiceName } from "./holder.ts";
import type { AllocationRefusal } from "./refusal.ts";
import type { ServiceRequest } from "./request.ts";
import type { Supply } from "./supply.ts";
import { findObstacleIn, lowestFreeIn } from "./supply.ts";

/** The one pool that has all addresses asked for, each of them free or the Service's own. */
export function choosePinned(request: ServiceRequest, supply: Supply): Result<Pool, AllocationRefusal> {
  const { service, pinSource: source } = request;
  const found: { readonly address: Address; readonly pool: Pool }[] = [];
  for (const address of request.pins) {
    const pool = supply.pools.find(({ ranges }) => rangesContain(ranges, address));
    if (pool === undefined) return err(outsidePools(address, request, supply));
    const refusal = checkPin(address, pool, request, supply);
    if (refusal !== undefined) return err(refusal);
    found.push({ address, pool });
  }
  const [first, ...others] = found;
  if (first !== undefined && others.every(({ pool }) => pool.key === first.pool.key)) return ok(first.pool);
  const pins = found.map(({ address, pool }) => ({ address, pool: pool.key }));
  return err({ kind: "pinsInDifferentPools", service, source, pins });
}

function outsidePools(address: Address, request: ServiceRequest, supply: Supply): AllocationRefusal {
  const { service, pinSource: source } = request;
  const inert = supply.inert?.find(({ ranges }) => rangesContain(ranges, address));
  if (inert !== undefined) {
    const free = suggest(address.family, request, supply);
    return { kind: "pinInInertPool", service, source, address, pool: inert.key, free };
  }
  const pools = supply.pools
    .filter((pool) => request.poolName === undefined || isNamed(pool, request.poolName))
    .map((pool) => ({ pool: pool.key, ranges: pool.ranges }));
  return { kind: "outsidePools", service, source, address, pools, free: suggest(address.family, request, supply) };
}

type Pin = {
  readonly service: ServiceName;
  readonly source: string;
  readonly address: Address;
  readonly free: Address | undefined;
};

function checkPin(
  address: Address,
  pool: Pool,
  request: ServiceRequest,
  supply: Supply,
): AllocationRefusal | undefined {
  const { service, pinSource: source, poolName } = request;
  const pin = (): Pin => ({ service, source, address, free: suggest(address.family, request, supply, pool) });
  if (poolName !== undefined && !isNamed(pool, poolName)) {
    return { kind: "pinOutsideNamedPool", ...pin(), pool: pool.key, named: poolName };
  }
  const problem = whyNotServed(pool, request);
  if (problem !== undefined) return { kind: "pinMayNotServe", ...pin(), pool: pool.key, problem };
  if (pool.avoidBuggyIps && isBuggyAddress(address)) return { kind: "buggyPin", ...pin(), pool: pool.key };
  const obstacle = findObstacleIn(pool, address, request, supply);
  return obstacle === undefined ? undefined : { kind: "pinHeld", ...pin(), ...obstacle };
}

/** A free address that the Service could ask for: of the same pool if it can be, else of the first that may serve it. */
function suggest(family: Family, request: ServiceRequest, supply: Supply, preferred?: Pool): Address | undefined {
  const pools = poolsFor(request, supply.pools);
  const onRequest = supply.pools.filter((pool) => request.poolName === undefined && !pool.autoAssign);
  const others = onRequest.filter((pool) => whyNotServed(pool, request) === undefined);
  const ordered = [...pools, ...others];
  const first = ordered.filter((pool) => pool.key === preferred?.key);
  for (const pool of [...first, ...ordered]) {
    const free = lowestFreeIn(pool, family, supply);
    if (free !== undefined) return free;
  }
  return undefined;
}
