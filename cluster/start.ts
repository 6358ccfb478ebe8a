/** The order in which the module comes up in its two roles. */
import { settleCertificate } from "./certificate.ts";
import type { Cluster, Role } from "./cluster.ts";
import { install, keepWebhooksNarrow } from "./install.ts";
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

/** Brings the module up; tries again for as long as the API server can't be asked. */
export async function start(module: Module, role: Role, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      if (role === "watcher") await install(module.cluster.api);
      break;
    } catch (err) {
      log.error({ err, failures }, "not installed, trying again");
      await sleep(backoffMillis(failures));
    }
  }
  await module.cluster.start(role, signal);
  if (role === "watcher") {
    keepWebhooksNarrow(module.cluster.api, module.webhooks, signal);
    for (const part of module.parts) await part.startWatching();
  }
  await settleCertificate(module.cluster.api, module.webhooks, process.env);
  module.serve();
  log.info({ role }, "ready");
}
