/** Whether what the planner holds and what comes in say the same. */
import { sameLabels } from "../labels.ts";
import type { AnnouncedPool, PlanNode, Vip } from "./plan-types.ts";

/** One address in a node's plan, with what the printed plan needs beside it. */
export type Entry = { readonly vip: Vip; readonly pool: string; readonly rebalanced: string | undefined };

/** Whether a node may announce the same as before. */
export function sameNode(a: PlanNode | undefined, b: PlanNode | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const isSame = a.ready === b.ready && a.networkUnavailable === b.networkUnavailable;
  return isSame && sameLabels(a.labels, b.labels);
}

/** Whether a pool is chosen, and to be rebalanced, as before. */
export function samePool(a: AnnouncedPool | undefined, b: AnnouncedPool | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.name === b.name && a.rebalance === b.rebalance && sameLabels(a.labels, b.labels);
}

/** Whether a node's plan says the same of an address. */
export function sameEntry(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  // A plan names a pool only to say that it was rebalanced.
  const isSamePool = a.rebalanced === b.rebalanced && (a.rebalanced === undefined || a.pool === b.pool);
  return (
    isSamePool &&
    a.vip.moving === b.vip.moving &&
    sameList(a.vip.nodes, b.vip.nodes) &&
    sameList(a.vip.interfaces, b.vip.interfaces)
  );
}

/** Whether the interfaces of a node are the same, in any order. */
export const sameLinks = (a: ReadonlySet<string> | undefined, b: readonly string[] | undefined): boolean =>
  sameList(a === undefined ? undefined : [...a].toSorted(), b?.toSorted());

function sameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
