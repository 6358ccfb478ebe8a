/** Removing a lab, whole or in pieces. */
import { killCgroups, removeCgroups } from "./cgroups.ts";
import { removeState, unmountAll } from "./network.ts";
import type { Paths } from "./paths.ts";
import { endPart } from "./processes.ts";
import { readRecord } from "./record.ts";

/** Ends every process of the lab, then removes its mounts, namespaces, cgroups and files. Safe to repeat. */
export async function down(paths: Paths): Promise<void> {
  const parts = readRecord(paths)?.parts ?? [];
  await Promise.all(parts.map(endPart));
  await killCgroups(paths);
  await unmountAll(paths);
  await removeCgroups(paths);
  removeState(paths);
}
