/** What the watcher brings along when it starts: the CRDs, the announcers, and the narrowed webhooks. */
import { setTimeout as sleep } from "node:timers/promises";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { Cache } from "./cache.ts";
import { isInvalid } from "./errors.ts";
import { keepHelloKeys, rotationSeconds } from "./hello-keys.ts";
import { manifests, type Manifest } from "./generated/manifests.ts";
import { apiVersionOf, kinds, pluralOf, type ApiObject, type Kind, type WebhookConfiguration } from "./kinds.ts";
import type { Lead } from "./leadership.ts";
import { log } from "./log.ts";
import { Queue } from "./queue.ts";
import { reflect } from "./reflector.ts";
import { isInstalledByManifests } from "./settings.ts";
import { readServing } from "./serving.ts";
import { isNarrowed, narrowed } from "./webhooks.ts";
import { parseJson } from "./wire.ts";

const apply = { fieldManager: keys.operatorFieldManager };
/** How long new kinds may take until they are served, in milliseconds. */
const SERVED_MILLIS = 10_000;
/** How long probes go unanswered while new announcers come up, in milliseconds; after 40 s kubelet would kill this process. */
const ROLLOUT_MILLIS = 15_000;
const POLL_MILLIS = 250;
/** Pause after which it is looked whether the webhooks' authorities are new, in milliseconds. */
const AGAIN_MILLIS = 20_000;

/** Applies the manifests and waits until their kinds are served. Says whether there are new announcers to wait for. */
export async function install(api: Api): Promise<{ readonly isRollout: boolean }> {
  const before = await api.get(daemonSets, announcers);
  for (const manifest of manifests) {
    // An announcer without a key answers nothing, and kubelet takes a minute to bring one to a pod that runs already.
    if (manifest.kind === "DaemonSet") await keepHelloKeys(api, rotationSeconds(process.env["BERTH_HELLO_KEY_DAYS"]));
    if (isBrought(manifest.kind)) await bring(api, manifest);
  }
  log.info({ objects: manifests.length }, "manifests applied");
  await awaitServed(api);
  const after = await api.get(daemonSets, announcers);
  return { isRollout: before?.metadata?.generation !== after?.metadata?.generation };
}

/**
 * What kubectl or Helm has installed is left to them, but for this: Helm never changes a CRD that is there, nor labels a
 * namespace that it makes for a release.
 */
const isBrought = (kind: string): boolean =>
  !isInstalledByManifests(process.env) || kind === "CustomResourceDefinition" || kind === "Namespace";

/** The kinds that Berth reads or writes; the other CRDs are kept for those who have objects of them. */
const NEEDED = [kinds.pools, kinds.advertisements, kinds.l2Statuses];

/**
 * Applies one manifest. A kind that Berth only keeps stays as it is where the cluster's own does not let itself be replaced:
 * that of a later MetalLB, for one, whose objects are stored in a version that is not listed here.
 */
async function bring(api: Api, manifest: Manifest): Promise<void> {
  const { kind, metadata } = manifest;
  const isKept = kind === "CustomResourceDefinition" && !NEEDED.some((needed) => nameOf(needed) === metadata.name);
  try {
    await api.apply(kindOf(manifest), withImage(manifest), apply);
  } catch (err) {
    if (!isKept || !isInvalid(err)) throw err;
    log.warn({ err, name: metadata.name }, "kind left as the cluster has it");
  }
}

const nameOf = ({ plural, group }: (typeof NEEDED)[number]): string => `${plural}.${group}`;

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
  for (const kind of NEEDED) {
    await until(() => api.list<ApiObject>(kind).then(() => true), SERVED_MILLIS);
  }
}

type DaemonSet = ApiObject & {
  metadata?: { generation?: number };
  status?: { desiredNumberScheduled?: number; numberReady?: number; observedGeneration?: number };
};
const daemonSets: Kind<DaemonSet> = { group: "apps", version: "v1", kind: "DaemonSet", plural: "daemonsets" };

const announcers = { namespace: keys.namespace, name: "announcer" };

/** Waits for new announcers: `pepr deploy` ends when this process is ready, and then they shall be too. A dead node's never is. */
export async function awaitRollout(api: Api): Promise<void> {
  const isDone = await until(async () => {
    const status = (await api.get(daemonSets, announcers))?.status;
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

/** Watches Pepr's webhook configurations until the signal; a watcher that leads keeps them narrowed, also after Pepr has written them anew. */
export function keepWebhooksNarrow(api: Api, name: string, signal: AbortSignal): Lead {
  const keepers = [
    keepNarrow(api, kinds.mutatingWebhooks, { name, signal }),
    keepNarrow(api, kinds.validatingWebhooks, { name, signal }),
  ];
  return async (term) => {
    await Promise.all(keepers.map((lead) => lead(term)));
  };
}

function keepNarrow<T extends WebhookConfiguration>(
  api: Api,
  kind: Kind<T>,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
): Lead {
  const cache = new Cache<T>();
  const queue = new Queue({ name: kind.plural, workers: 1, run: () => narrow(api, kind, cache.get({ name })) });
  cache.subscribe(({ key }) => {
    if (key.name === name) queue.add(name);
  });
  void reflect(api, kind, { cache, signal });
  return (term) => {
    queue.start(term);
    queue.add(name);
    return Promise.resolve();
  };
}

async function narrow<T extends WebhookConfiguration>(
  api: Api,
  kind: Kind<T>,
  current: T | undefined,
): Promise<number> {
  const serving = await readServing(api);
  if (current === undefined || serving === undefined || isNarrowed(current, serving)) return AGAIN_MILLIS;
  const webhooks = narrowed(current, serving);
  const { name = "" } = current.metadata ?? {};
  const patch = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name }, webhooks };
  await api.apply<ApiObject>(kind, patch, apply);
  log.info({ name, kind: kind.kind }, "webhooks narrowed");
  return AGAIN_MILLIS;
}
