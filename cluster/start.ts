/** The order in which the module comes up in its two roles. */
import { settleCertificate } from "./certificate.ts";
import type { Cluster, Role } from "./cluster.ts";
import { awaitRollout, install, keepWebhooksNarrow } from "./install.ts";
import { log } from "./log.ts";
import { backoffMillis } from "./queue.ts";
import { setTimeout as sleep } from "node:timers/promises";

/** What {@link start} brings up, and what it calls when it stands. */
export type Module = {
  readonly cluster: Cluster;
  /** Name of the webhook configurations. */
  readonly webhooks: string;
  readonly parts: readonly { startWatching(): Promise<void> }[];
  /** Begins to answer webhooks and probes. */
  readonly serve: () => void;
};

/** The role of this process; "none" when Pepr only reads which capabilities there are. */
export function roleOf(environment: NodeJS.ProcessEnv): Role | "none" {
  if (environment["PEPR_MODE"] === "build" || environment["PEPR_MODE"] === "dev") return "none";
  return environment["PEPR_WATCH_MODE"] === "true" ? "watcher" : "admission";
}

/**
 * Brings the module up; tries again for as long as the API server can't be asked. The watcher works before it is ready:
 * nothing that Services need may wait for an announcer.
 */
export async function start(module: Module, role: Role, signal: AbortSignal): Promise<void> {
  const { api } = module.cluster;
  const installed = role === "watcher" ? await persistently(() => install(api), signal) : undefined;
  await module.cluster.start(role, signal);
  if (role === "watcher") {
    keepWebhooksNarrow(api, module.webhooks, signal);
    for (const part of module.parts) await persistently(() => part.startWatching(), signal);
  }
  if (installed?.isRollout === true) await awaitRollout(api);
  await settleCertificate(api, module.webhooks, process.env);
  module.serve();
  log.info({ role }, "ready");
}

/** What `work` gives once it succeeds; undefined when the signal came first. */
async function persistently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      return await work();
    } catch (err) {
      log.error({ err, failures }, "start failed, trying again");
      await sleep(backoffMillis(failures));
    }
  }
  return undefined;
}
