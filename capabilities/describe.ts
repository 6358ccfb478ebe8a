/** What is to be said of each pool and advertisement as the caches have them. Writes nothing. */
import type { Cluster } from "../cluster/cluster.ts";
import type { IPAddressPool } from "../cluster/crd.ts";
import { keyOf, metadataOf, printKey } from "../cluster/kinds.ts";
import { choosable, surroundingsOf } from "../cluster/surroundings.ts";
import { measurePool, NO_USAGE } from "../core/allocation/usage.ts";
import { parseAdvertisement } from "../core/announce/advertisement.ts";
import { findGaps } from "../core/announce/gaps.ts";
import { describeAdvertisement, describePool, type PoolFinding, type State } from "../core/explain/state.ts";
import { toStatusCount } from "../core/pool/count.ts";
import { findNamespaceGap } from "../core/pool/namespaces.ts";
import { poolKeyOf, type Pool } from "../core/pool/pool.ts";
import { checkSteering } from "../core/pool/steering.ts";
import { findCollisions } from "../core/pool/surroundings.ts";

/** What is to be said of a pool, and the pool itself where it gives addresses. */
export type PoolState = { readonly state: State; readonly usable: Pool | undefined };

/** The states of all pools and advertisements, by namespace/name. */
export type States = {
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly advertisements: ReadonlyMap<string, State>;
};

/** The counters of a pool's status, by MetalLB's names. */
export type Counts = {
  readonly assignedIPv4: number;
  readonly assignedIPv6: number;
  readonly availableIPv4: number;
  readonly availableIPv6: number;
};

/** How full the pool is; all zero while it gives no addresses. */
export function countsOf({ usable }: PoolState, { ledger }: Cluster): Counts {
  const { assigned, available } = usable === undefined ? NO_USAGE : measurePool(usable, ledger.occupancy);
  return {
    assignedIPv4: toStatusCount(assigned.IPv4),
    assignedIPv6: toStatusCount(assigned.IPv6),
    availableIPv4: toStatusCount(available.IPv4),
    availableIPv6: toStatusCount(available.IPv6),
  };
}

/** The state of everything. */
export const describeAll = (cluster: Cluster): States => ({
  pools: poolStates(cluster),
  advertisements: advertisementStates(cluster),
});

function poolStates(cluster: Cluster): ReadonlyMap<string, PoolState> {
  const { usable, inert } = cluster.usablePools();
  const findings = poolFindings(cluster);
  const annotated = new Map([...cluster.pools.values()].map((pool) => [poolKeyOf(pool), steeringOf(pool)]));
  const sound = usable.map((pool): [string, PoolState] => {
    const all = [...findings(pool), ...(annotated.get(pool.key) ?? [])];
    return [pool.key, { state: describePool(pool.key, true, all), usable: pool }];
  });
  const unsound = inert.map(({ key, refusal }): [string, PoolState] => {
    const all = [refusal, ...(annotated.get(key) ?? [])];
    return [key, { state: describePool(key, false, all), usable: undefined }];
  });
  return new Map([...sound, ...unsound]);
}

/** What is to be said of a pool that gives addresses. */
function poolFindings(cluster: Cluster): (pool: Pool) => readonly PoolFinding[] {
  const surroundings = surroundingsOf(cluster);
  const namespaces = choosable(cluster.namespaces.values());
  return (pool) => {
    const gap = findNamespaceGap(pool, namespaces);
    return [...findCollisions(pool, surroundings), ...(gap === undefined ? [] : [gap])];
  };
}

function steeringOf(pool: IPAddressPool): readonly PoolFinding[] {
  const refusal = checkSteering(poolKeyOf(pool), metadataOf(pool).annotations);
  return refusal === undefined ? [] : [refusal];
}

function advertisementStates(cluster: Cluster): ReadonlyMap<string, State> {
  const known = { pools: choosable(cluster.pools.values()), nodes: choosable(cluster.nodes.values()) };
  return new Map(
    [...cluster.advertisements.values()].map((input): [string, State] => {
      const key = printKey(keyOf(input));
      const parsed = parseAdvertisement(input);
      return [key, describeAdvertisement(key, parsed.ok ? findGaps(parsed.value, known) : [parsed.error])];
    }),
  );
}
