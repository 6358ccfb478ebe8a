/** The order in which the module comes up in its two roles, and goes down. */
import { settleCertificate } from "./certificate.ts";
import type { Cluster, Role } from "./cluster.ts";
import { awaitRollout, install, keepWebhooksNarrow } from "./install.ts";
import { Leadership, type Lead } from "./leadership.ts";
import { log } from "./log.ts";
import { backoffMillis } from "./queue.ts";
import { keepWatchers, setWatchers, wantedWatchers } from "./watchers.ts";
import { setTimeout as sleep } from "node:timers/promises";

/** What {@link start} brings up, and what it calls when it stands. */
export type Module = {
  readonly cluster: Cluster;
  /** Name of the webhook configurations. */
  readonly webhooks: string;
  readonly parts: readonly { readonly lead: Lead }[];
  /** Begins to answer webhooks and probes. */
  readonly serve: () => void;
};

/** How long probes go unanswered while nobody is seen to lead, in milliseconds. */
const LEADER_MILLIS = 15_000;
/** After so long a pod that is being replaced has been told so, and is not started again when it ends; in milliseconds. */
const REPLACED_MILLIS = 2_000;
/** The exit code of a process that SIGTERM has ended. */
const TERMINATED = 143;

/** The role of this process; "none" when Pepr only reads which capabilities there are. */
export function roleOf(environment: NodeJS.ProcessEnv): Role | "none" {
  if (environment["PEPR_MODE"] === "build" || environment["PEPR_MODE"] === "dev") return "none";
  return environment["PEPR_WATCH_MODE"] === "true" ? "watcher" : "admission";
}

/** Brings the module up; tries again for as long as the API server can't be asked. */
export async function start(module: Module, role: Role, signal: AbortSignal): Promise<void> {
  const { api } = module.cluster;
  if (role === "watcher") await beMany(module);
  const installed = role === "watcher" ? await persistently(() => install(api), signal) : undefined;
  await module.cluster.start(role, signal);
  const stop = role === "watcher" ? await contend(module, signal) : undefined;
  if (installed?.isRollout === true) await awaitRollout(api);
  await settleCertificate(api, module.webhooks, process.env, { role });
  module.serve();
  if (stop !== undefined) listenAlone(stop);
  log.info({ role }, "ready");
}

/** Sees to the number of watchers; the one that the first `pepr deploy` makes is replaced by that, and goes at once. */
async function beMany({ cluster, webhooks }: Module): Promise<void> {
  try {
    if (!(await setWatchers(cluster.api, watchersOf(webhooks), wantedWatchers(process.env)))) return;
  } catch (err) {
    log.warn({ err }, "number of watchers not set yet");
    return;
  }
  log.info("this pod is about to be replaced");
  await sleep(REPLACED_MILLIS);
  process.exit(TERMINATED);
}

const watchersOf = (webhooks: string): string => `${webhooks}-watcher`;

/**
 * Has this watcher lead when it is its turn, with the work of all parts. It is ready when somebody leads, so that a
 * finished deployment works; what Services need does not wait for that. Gives what listens to SIGTERM.
 */
async function contend({ cluster, webhooks, parts }: Module, signal: AbortSignal): Promise<() => void> {
  const { api } = cluster;
  const leads = [
    keepWebhooksNarrow(api, webhooks, signal),
    keepWatchers(api, watchersOf(webhooks), wantedWatchers(process.env)),
    ...parts.map(({ lead }) => lead),
  ];
  const leadership = new Leadership(api, async (term) => {
    for (const lead of leads) await persistently(() => lead(term), term);
  });
  const stop = stopWith(leadership);
  await leadership.start();
  await Promise.race([leadership.settled, sleep(LEADER_MILLIS, undefined, { ref: false })]);
  return stop;
}

/** On SIGTERM the Lease is given up before the process ends. */
function stopWith(leadership: Leadership): () => void {
  const stop = (): void => {
    log.info("told to stop");
    void leadership.stop().then(() => process.exit(TERMINATED));
  };
  process.once("SIGTERM", stop);
  return stop;
}

/** Pepr's own listener would end the process as soon as its server is closed. */
function listenAlone(stop: () => void): void {
  for (const listener of process.listeners("SIGTERM")) {
    if (listener !== stop) process.removeListener("SIGTERM", listener);
  }
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
