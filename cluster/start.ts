/** The order in which the module comes up in its two roles, and goes down. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { keys } from "../core/keys.ts";
import type { Serving } from "./certificates.ts";
import type { Cluster, Role } from "./cluster.ts";
import { awaitRollout, install, keepWebhooksNarrow } from "./install.ts";
import { Leadership, type Lead } from "./leadership.ts";
import { log } from "./log.ts";
import { backoffMillis } from "./queue.ts";
import { isHealthy, serverOf } from "./server.ts";
import { followServing, keepServing, settleServing } from "./serving.ts";
import { isInstalledByManifests } from "./settings.ts";
import { keepPods, setPods, wantedWatchers } from "./watchers.ts";

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
/** After so long without an answer to its own probe a process starts again, in milliseconds; Pepr takes its time up to 3 s. */
const HEALTHY_MILLIS = 30_000;
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
  const serving = await persistently(() => settleServing(api, hostOf(module.webhooks)), signal);
  const stop = role === "watcher" ? await contend(module, signal) : undefined;
  if (installed?.isRollout === true) await awaitRollout(api);
  if (serving !== undefined && !(await serve(module, serving, signal))) {
    log.error({ role, withinMillis: HEALTHY_MILLIS }, "Pepr answers no probes, starting again");
    if (stop === undefined) process.exit(1);
    stop();
    return;
  }
  if (stop !== undefined) listenAlone(stop);
  log.info({ role }, "ready");
}

/** The name by which the API server calls the webhooks' Service, which Pepr names as it does the configurations. */
const hostOf = (webhooks: string): string => `${webhooks}.${keys.operatorNamespace}.svc`;

/** Answers webhooks and probes with what is Berth's own, in place of Pepr's, and with what follows it. Says whether it works. */
async function serve(
  { cluster, webhooks, serve: listen }: Module,
  serving: Serving,
  signal: AbortSignal,
): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "berth-"));
  try {
    process.env["SSL_CERT_PATH"] = write(join(folder, "tls.crt"), serving.certificate);
    process.env["SSL_KEY_PATH"] = write(join(folder, "tls.key"), serving.key);
    process.env["PEPR_API_PATH"] = serving.path;
    const server = serverOf(listen);
    const take = ({ certificate, key, path }: Serving): void => {
      server.setSecureContext({ cert: certificate, key });
      // Pepr reads the path when it begins, and it changes only where the Secret was lost.
      if (path !== serving.path) process.kill(process.pid, "SIGTERM");
    };
    void followServing(cluster.api, serving, take, signal);
    return await isHealthy(server, { host: hostOf(webhooks), authorities: serving.authorities }, HEALTHY_MILLIS);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function write(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** Sees to the pods and their number; the watcher that the first `pepr deploy` makes is replaced by that, and goes at once. */
async function beMany({ cluster, webhooks }: Module): Promise<void> {
  if (isInstalledByManifests(process.env)) return;
  try {
    if (!(await setPods(cluster.api, webhooks, wantedWatchers(process.env)))) return;
  } catch (err) {
    log.warn({ err }, "pods not set yet");
    return;
  }
  log.info("this pod is about to be replaced");
  await sleep(REPLACED_MILLIS);
  process.exit(TERMINATED);
}

/**
 * Has this watcher lead when it is its turn, with the work of all parts. It is ready when somebody leads, so that a
 * finished deployment works; what Services need does not wait for that. Gives what listens to SIGTERM.
 */
async function contend({ cluster, webhooks, parts }: Module, signal: AbortSignal): Promise<() => void> {
  const { api } = cluster;
  const leads = [
    keepServing(api, hostOf(webhooks)),
    keepWebhooksNarrow(api, webhooks, signal),
    ...(isInstalledByManifests(process.env) ? [] : [keepPods(api, webhooks, wantedWatchers(process.env))]),
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
