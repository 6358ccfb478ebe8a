/** The Leases that carry each node's plan: their names, and the operator's writes to them. Decides nothing. */
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { apiVersionOf, keyOf, kinds, metadataOf, type Lease } from "./kinds.ts";

const fieldManager = keys.operatorFieldManager;
/** Longest value that a label can have. */
const LABEL_LENGTH = 63;
const SHARD_NAME = /^([1-9]\d{0,5})\.(.+)$/;

/** Which Lease of a node it is: 0 for the first one, in which the announcer reports, then 1 and on for a longer plan. */
export type LeasePlace = { readonly node: string; readonly shard: number };

/** The name of a node's Lease. No two places have one name, whatever the nodes are called. */
export const leaseName = ({ node, shard }: LeasePlace): string =>
  shard === 0 ? `${keys.leasePrefix}${node}` : `${keys.shardPrefix}${String(shard)}.${node}`;

/** Which node's Lease it is; undefined for one that is not Berth's. Either owner of a Lease may have made it. */
export function placeOf(lease: Lease): LeasePlace | undefined {
  const { name, namespace } = metadataOf(lease);
  if (namespace !== keys.namespace) return undefined;
  if (name.startsWith(keys.leasePrefix)) return { node: name.slice(keys.leasePrefix.length), shard: 0 };
  if (!name.startsWith(keys.shardPrefix)) return undefined;
  const [, shard, node] = SHARD_NAME.exec(name.slice(keys.shardPrefix.length)) ?? [];
  return shard === undefined || node === undefined ? undefined : { node, shard: Number(shard) };
}

/** Whether the operator has written to the Lease. */
export const isManaged = (lease: Lease): boolean => metadataOf(lease).labels[keys.leaseManagedBy] === keys.leaseManager;

/** Writes a plan into a Lease, making it where there is none; leaves the announcer's fields alone. */
export async function writePlan(api: Api, place: LeasePlace, plan: string): Promise<Lease> {
  const { node, shard } = place;
  const lease = {
    apiVersion: apiVersionOf(kinds.leases),
    kind: kinds.leases.kind,
    metadata: {
      name: leaseName(place),
      namespace: keys.namespace,
      labels: {
        [keys.leaseManagedBy]: keys.leaseManager,
        [keys.leaseApp]: keys.leaseAppName,
        ...(node.length > LABEL_LENGTH ? {} : { [keys.leaseNode]: node }),
        ...(shard === 0 ? {} : { [keys.leaseShard]: String(shard) }),
      },
      annotations: { [keys.plan]: plan },
    },
  };
  return api.apply(kinds.leases, lease, { fieldManager });
}

/** Deletes a Lease as it was read. */
export async function removeLease(api: Api, lease: Lease): Promise<void> {
  const { uid, resourceVersion } = metadataOf(lease);
  await api.remove(kinds.leases, keyOf(lease), { uid, resourceVersion });
}
