/** Brings one node's Leases in line with its plan: several of them where the plan is long, none where the node is gone. */
import type { Cluster } from "../cluster/cluster.ts";
import { metadataOf, type Lease } from "../cluster/kinds.ts";
import { isManaged, leaseName, placeOf, removeLease, writePlan } from "../cluster/leases.ts";
import { generationOf, printPlan } from "../core/announce/plan-text.ts";
import type { NodePlan } from "../core/announce/plan-types.ts";
import { keys } from "../core/keys.ts";

/** A node, what its Leases are to say, undefined where the node is gone; and until when this watcher may write. */
export type NodeToWrite = {
  readonly node: string;
  readonly plan: NodePlan | undefined;
  readonly term: AbortSignal;
};

/** Writes what differs, the first Lease last: it is what announcers go by.*/
export async function writeNodePlan({ node, plan, term }: NodeToWrite, cluster: Cluster): Promise<void> {
  const found = leasesOf(node, cluster);
  const texts = plan === undefined ? [] : textsToWrite(plan, found);
  for (const [shard, text] of [...texts.entries()].toReversed()) {
    if (term.aborted) return;
    cluster.leases.accept(await writePlan(cluster.api, { node, shard }, text));
  }
  const count = plan === undefined ? 0 : shardsOf(plan);
  const spare = [...found].filter(([shard, lease]) => shard >= count && (shard > 0 || isManaged(lease)));
  for (const [, lease] of spare) if (!term.aborted) await removeLease(cluster.api, lease);
}

const shardsOf = (plan: NodePlan): number => printPlan(0, plan).length;

/** All texts, of a new generation, or none where the Leases say the same already. */
function textsToWrite(plan: NodePlan, found: ReadonlyMap<number, Lease>): readonly string[] {
  const generations = [...found.values()].map((lease) => generationOf(textIn(lease)));
  const newest = Math.max(0, ...generations);
  const isWritten = printPlan(newest, plan).every((text, shard) => textIn(found.get(shard)) === text);
  return isWritten && newest > 0 ? [] : printPlan(newest + 1, plan);
}

const textIn = (lease: Lease | undefined): string => lease?.metadata?.annotations?.[keys.plan] ?? "";

/** A node's Leases by number, as far as they are known. */
function leasesOf(node: string, cluster: Cluster): ReadonlyMap<number, Lease> {
  const found = new Map<number, Lease>();
  const first = cluster.leases.get({ namespace: keys.namespace, name: leaseName({ node, shard: 0 }) });
  if (first !== undefined) found.set(0, first);
  for (const lease of cluster.leases.values()) {
    if (!metadataOf(lease).name.startsWith(keys.shardPrefix)) continue;
    const place = placeOf(lease);
    if (place?.node === node && place.shard > 0) found.set(place.shard, lease);
  }
  return found;
}

/** The nodes that Leases of Berth's are for. */
export const nodesWithLeases = (cluster: Cluster): ReadonlySet<string> =>
  new Set([...cluster.leases.values()].flatMap((lease) => (isManaged(lease) ? (placeOf(lease)?.node ?? []) : [])));
