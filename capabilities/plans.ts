/** Reads what the plan follows from, has core make it, and writes the Leases that differ. */
import type { Cluster } from "../cluster/cluster.ts";
import { kinds, keyOf, printKey, type EndpointSlice, type Lease } from "../cluster/kinds.ts";
import { annotatedAddresses, isOurs, planNode, serviceNameOf } from "../cluster/read.ts";
import { leaseName, writePlan } from "../cluster/write.ts";
import { rangeContains } from "../core/address/range.ts";
import { parseAdvertisement } from "../core/announce/advertisement.ts";
import { summarizeEndpoints } from "../core/announce/endpoints.ts";
import { planAnnouncements } from "../core/announce/plan.ts";
import { parsePlan, printPlan, type Plan } from "../core/announce/plan-text.ts";
import type { AnnouncedService, PlanInput, Vip } from "../core/announce/plan-types.ts";
import { keys } from "../core/keys.ts";

/** Label by which an EndpointSlice names its Service. */
const SERVICE_NAME = "kubernetes.io/service-name";

/** Makes the plan and writes what has changed of it. */
export async function writePlans(cluster: Cluster): Promise<undefined> {
  const { perNode } = planAnnouncements(planInput(cluster));
  await Promise.all([...perNode].map(([node, vips]) => writeNode(node, vips, cluster)));
  await Promise.all(leasesOfGoneNodes(cluster).map((lease) => removeLease(lease, cluster)));
  return undefined;
}

async function writeNode(node: string, vips: readonly Vip[], cluster: Cluster): Promise<void> {
  const lease = leaseOf(node, cluster);
  const current = planIn(lease);
  const generation = current?.generation ?? 0;
  if (current !== undefined && lease?.metadata?.annotations?.[keys.plan] === printPlan(generation, vips)) return;
  cluster.leases.accept(await writePlan(cluster.api, node, printPlan(generation + 1, vips)));
}

const leaseOf = (node: string, cluster: Cluster): Lease | undefined =>
  cluster.leases.get({ namespace: keys.namespace, name: leaseName(node) });

function planIn(lease: Lease | undefined): Plan | undefined {
  const plan = parsePlan(lease?.metadata?.annotations?.[keys.plan] ?? "");
  return plan.ok ? plan.value : undefined;
}

function planInput(cluster: Cluster): PlanInput {
  const nodes = [...cluster.nodes.values()].map((node) => planNode(node, leaseOf(node.metadata?.name ?? "", cluster)));
  const advertisements = [...cluster.advertisements.values()].flatMap((input) => {
    const parsed = parseAdvertisement(input);
    return parsed.ok ? [parsed.value] : [];
  });
  return {
    services: announcedServices(cluster),
    pools: cluster.usablePools().usable,
    advertisements,
    nodes,
    answering: firstNow(cluster),
  };
}

/** The node that stands first for each address in the plans as they are written. */
function firstNow(cluster: Cluster): ReadonlyMap<string, string> {
  const vips = [...cluster.leases.values()].flatMap((lease) => planIn(lease)?.vips ?? []);
  return new Map(vips.flatMap(({ ip, nodes: [first] }) => (first === undefined ? [] : [[ip, first]])));
}

function announcedServices(cluster: Cluster): readonly AnnouncedService[] {
  const slices = slicesByService(cluster.endpointSlices.values());
  const pools = cluster.usablePools().usable;
  return [...cluster.services.values()].filter(isOurs).flatMap((service) => {
    const addresses = annotatedAddresses(service) ?? [];
    const pool = pools.find(({ ranges }) => addresses.some((one) => ranges.some((range) => rangeContains(range, one))));
    if (addresses.length === 0) return [];
    return [
      {
        ...serviceNameOf(service),
        labels: service.metadata?.labels ?? {},
        addresses,
        pool: pool?.key ?? "",
        externalTrafficPolicy: service.spec?.externalTrafficPolicy,
        endpoints: summarizeEndpoints(slices.get(printKey(keyOf(service))) ?? []),
      },
    ];
  });
}

function slicesByService(slices: Iterable<EndpointSlice>): ReadonlyMap<string, readonly EndpointSlice[]> {
  return Map.groupBy(slices, ({ metadata }) =>
    printKey({ namespace: metadata?.namespace, name: metadata?.labels?.[SERVICE_NAME] ?? "" }),
  );
}

const leasesOfGoneNodes = (cluster: Cluster): readonly Lease[] =>
  [...cluster.leases.values()].filter(({ metadata }) => {
    const isOurs =
      metadata?.labels?.[keys.leaseManagedBy] === keys.leaseManager && metadata.namespace === keys.namespace;
    return isOurs && cluster.nodes.get({ name: (metadata.name ?? "").slice(keys.leasePrefix.length) }) === undefined;
  });

async function removeLease(lease: Lease, cluster: Cluster): Promise<void> {
  const { uid, resourceVersion } = lease.metadata ?? {};
  await cluster.api.remove(kinds.leases, keyOf(lease), { uid, resourceVersion });
}
