/** What the watcher brings along when it starts: the CRDs, the announcers, and the narrowed webhooks. */
import { setTimeout as sleep } from "node:timers/promises";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { Cache } from "./cache.ts";
import { manifests, type Manifest } from "./generated/manifests.ts";
import { apiVersionOf, kinds, pluralOf, type ApiObject, type Kind, type WebhookConfiguration } from "./kinds.ts";
import { log } from "./log.ts";
import { Queue } from "./queue.ts";
import { reflect } from "./reflector.ts";
import { isNarrowed, narrowed } from "./webhooks.ts";
import { parseJson } from "./wire.ts";

const apply = { fieldManager: keys.operatorFieldManager };
/** How long the start waits for announcers that it has just installed, in milliseconds; they come up by themselves later too. */
const ROLLOUT_MILLIS = 60_000;
const POLL_MILLIS = 250;

/** Applies the manifests and waits until their kinds are served. */
export async function install(api: Api): Promise<void> {
  for (const manifest of manifests) await api.apply(kindOf(manifest), withImage(manifest), apply);
  log.info({ objects: manifests.length }, "manifests applied");
  await awaitServed(api);
  await awaitRollout(api);
}

const kindOf = ({ apiVersion, kind }: Manifest): Kind<Manifest> => {
  const [version = "", group = ""] = apiVersion.split("/").reverse();
  return { group, version, kind, plural: pluralOf(kind) };
};

/** The image that the module was built for stands in the environment; the manifest's own is the default. */
function withImage(manifest: Manifest): Manifest {
  const image = process.env["BERTH_ANNOUNCER_IMAGE"];
  if (manifest.kind !== "DaemonSet" || image === undefined) return manifest;
  return parseJson(JSON.stringify(manifest), (key, value) => (key === "image" ? image : value));
}

async function awaitServed(api: Api): Promise<void> {
  for (const kind of [kinds.pools, kinds.advertisements]) {
    await until(() => api.list<ApiObject>(kind).then(() => true), ROLLOUT_MILLIS);
  }
}

type DaemonSet = ApiObject & {
  status?: { desiredNumberScheduled?: number; numberReady?: number; observedGeneration?: number };
};
const daemonSets: Kind<DaemonSet> = { group: "apps", version: "v1", kind: "DaemonSet", plural: "daemonsets" };

/** Pepr calls a deployment ready when this process is, so this process is ready when its announcers are. */
async function awaitRollout(api: Api): Promise<void> {
  const isDone = await until(async () => {
    const status = (await api.get(daemonSets, { namespace: keys.namespace, name: "announcer" }))?.status;
    const { desiredNumberScheduled: desired = 0, numberReady: ready = 0, observedGeneration = 0 } = status ?? {};
    return observedGeneration > 0 && ready >= desired;
  }, ROLLOUT_MILLIS);
  if (!isDone) log.warn({ namespace: keys.namespace }, "not all announcers are ready, going on without");
}

/** Asks until the answer is yes; false when the time is up. Errors count as no. */
async function until(ask: () => Promise<boolean>, millis: number): Promise<boolean> {
  const end = performance.now() + millis;
  while (performance.now() < end) {
    if (await ask().catch(() => false)) return true;
    await sleep(POLL_MILLIS);
  }
  return false;
}

/** Keeps Pepr's webhook configurations narrowed, also after Pepr has written them anew. */
export function keepWebhooksNarrow(api: Api, name: string, signal: AbortSignal): void {
  keepNarrow(api, kinds.mutatingWebhooks, { name, signal });
  keepNarrow(api, kinds.validatingWebhooks, { name, signal });
}

function keepNarrow<T extends WebhookConfiguration>(
  api: Api,
  kind: Kind<T>,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
): void {
  const cache = new Cache<T>();
  const queue = new Queue({ name: kind.plural, workers: 1, run: () => narrow(api, kind, cache.get({ name })) });
  cache.subscribe(({ key }) => {
    if (key.name === name) queue.add(name);
  });
  queue.start();
  void reflect(api, kind, { cache, signal });
}

async function narrow<T extends WebhookConfiguration>(
  api: Api,
  kind: Kind<T>,
  current: T | undefined,
): Promise<undefined> {
  if (current === undefined || isNarrowed(current)) return undefined;
  const webhooks = narrowed(current);
  const { name = "" } = current.metadata ?? {};
  const patch = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name }, webhooks };
  await api.apply<ApiObject>(kind, patch, apply);
  log.info({ name, kind: kind.kind }, "webhooks narrowed");
  return undefined;
}
