/** Holds the nodes' kube-proxies, whose work on thousands of Services would be measured instead of Berth's. */
import { labPaths } from "../lab/paths.ts";
import { insideOf, signalPid } from "../lab/processes.ts";
import { readRecord } from "../lab/record.ts";
import type { Target } from "../target.ts";

/** Runs `work` while every kube-proxy of the lab is stopped. */
export async function pausingProxies(target: Target, work: () => Promise<void>): Promise<void> {
  const parts = readRecord(labPaths(target.name, process.env))?.parts ?? [];
  const proxies = parts
    .filter(({ name }) => name.startsWith("node-"))
    .flatMap(insideOf)
    .filter(({ name }) => name === "kube-proxy");
  try {
    for (const { pid } of proxies) signalPid(pid, "SIGSTOP");
    await work();
  } finally {
    for (const { pid } of proxies) signalPid(pid, "SIGCONT");
  }
}
