/** Which pools may serve a Service, and in which order they are asked. */
import type { Labels } from "../labels.ts";
import { matchesAny } from "../labels.ts";
import { comparePoolNames } from "./overlap.ts";
import type { Pool } from "./pool.ts";

/** What decides whether a pool may serve a Service. */
export type Served = { readonly labels: Labels; readonly namespace: string; readonly namespaceLabels: Labels };

/** What the pools are asked by: beside that, the pool that the Service names, if it names one. */
export type PoolRequest = Served & { readonly poolName?: string | undefined };

/** Whether the text is the pool's name, or its namespace/name. */
export const isNamed = (pool: Pick<Pool, "key" | "name">, text: string): boolean =>
  text === (text.includes("/") ? pool.key : pool.name);

/** Which condition of a pool a Service does not meet. */
export type ServeProblem = "namespace" | "labels";

/** Whether the pool may give this Service an address, be it asked for or not. */
export const mayServe = (pool: Pool, labels: Labels, namespace: string, namespaceLabels: Labels): boolean =>
  whyNotServed(pool, { labels, namespace, namespaceLabels }) === undefined;

/**
 * The condition of the pool that keeps the Service out, if any. Namespaces by name and by selector are united, then
 * joined with the Service selectors; selectors that match no namespace let nobody in (MetalLB: everybody).
 */
export function whyNotServed(pool: Pool, request: Served): ServeProblem | undefined {
  const allocation = pool.allocation;
  if (allocation === undefined) return undefined;
  const { namespaces, namespaceSelectors, serviceSelectors } = allocation;
  const limitsNamespaces = namespaces.length + namespaceSelectors.length > 0;
  const inNamespace = namespaces.includes(request.namespace) || matchesAny(namespaceSelectors, request.namespaceLabels);
  if (limitsNamespaces && !inNamespace) return "namespace";
  return serviceSelectors.length > 0 && !matchesAny(serviceSelectors, request.labels) ? "labels" : undefined;
}

/**
 * The pools that may give the Service an address, first choice first. With a pool named: those of that name,
 * autoAssign or not. Else those that assign by themselves: with a serviceAllocation before without, a priority above 0
 * in ascending order before none, then by namespace and name.
 */
export function poolsFor(request: PoolRequest, pools: readonly Pool[]): readonly Pool[] {
  const { poolName } = request;
  return pools
    .filter((pool) => (poolName === undefined ? pool.autoAssign : isNamed(pool, poolName)))
    .filter((pool) => whyNotServed(pool, request) === undefined)
    .toSorted((a, b) => rank(a) - rank(b) || comparePoolNames(a, b));
}

/** Priorities are int64 in the CRD but at most 2^53 matters here; 0 and below mean unset. */
function rank(pool: Pool): number {
  if (pool.allocation === undefined) return Number.MAX_VALUE;
  return pool.allocation.priority > 0 ? pool.allocation.priority : Number.MAX_SAFE_INTEGER;
}
