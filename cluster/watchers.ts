/** How many watchers there are, beside what `pepr deploy` writes: it makes one, and can't be told otherwise. */
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import type { Lead } from "./leadership.ts";
import { log } from "./log.ts";
import { deployments, shapePods, type Deployment, type FieldsOf } from "./pods.ts";
import { Queue } from "./queue.ts";

type Key = { readonly namespace: string; readonly name: string };

/** Pause after which the Deployment is read again, in milliseconds. */
const AGAIN_MILLIS = 30_000;

/** How many watchers the environment asks for, as `BERTH_WATCHERS`. */
export function wantedWatchers({ BERTH_WATCHERS: text = "" }: NodeJS.ProcessEnv): number {
  return /^[1-9]$/.test(text) ? Number(text) : 2;
}

/** Keeps as many watchers running as are wanted, and all pods of the operator as they are to be; see {@link setPods}. */
export function keepPods(api: Api, name: string, wanted: number): Lead {
  const run = async (): Promise<number> => {
    await setPods(api, name, wanted);
    return AGAIN_MILLIS;
  };
  const queue = new Queue({ name: deployments.plural, workers: 1, run });
  return (term) => {
    queue.start(term);
    queue.add(name);
    return Promise.resolve();
  };
}

/** Has the admission pods, whose Deployment is called `name`, and the watchers be as they are to be; see {@link setWatchers}. */
export async function setPods(api: Api, name: string, wanted: number): Promise<boolean> {
  await shapePods(api, name, "admission");
  return setWatchers(api, `${name}-watcher`, wanted);
}

/**
 * Has as many watchers run as are wanted, in place of Pepr's one, each on a node of its own if it can; a number that a
 * person has set is left alone. True where the pods change with that, so that those which run are about to be replaced.
 */
async function setWatchers(api: Api, name: string, wanted: number): Promise<boolean> {
  const key = { namespace: keys.operatorNamespace, name };
  const found = await api.get(deployments, key);
  const shaped = await shapePods(api, name, "watcher");
  if (found === undefined || shaped === undefined) return false;
  const written = isPeprs(shaped) ? await setNumber(api, key, shaped, wanted) : shaped;
  await disown(api, key, written);
  return shaped.metadata?.generation !== found.metadata?.generation;
}

async function setNumber(api: Api, key: Key, { metadata }: Deployment, wanted: number): Promise<Deployment> {
  const precondition = { resourceVersion: metadata?.resourceVersion };
  const written = await api.merge(deployments, key, { metadata: precondition, spec: { replicas: wanted } });
  log.info({ name: key.name, watchers: wanted }, "number of watchers set");
  return written;
}

/** Makes the number nobody's: Pepr's next apply would be refused otherwise. */
async function disown(api: Api, key: Key, { metadata = {} }: Deployment): Promise<void> {
  const { resourceVersion, managedFields = [] } = metadata;
  const others = managedFields.filter((entry) => !isOwn(entry));
  if (others.length === managedFields.length) return;
  await api.merge(deployments, key, { metadata: { resourceVersion, managedFields: others } });
}

/** Whether the number is the one that Pepr's last apply has set. */
const isPeprs = ({ metadata }: Deployment): boolean =>
  (metadata?.managedFields ?? []).some(
    (entry) => entry.manager === "pepr" && entry.operation === "Apply" && setsNumber(entry),
  );

/** Whether it is what the write of the number has left behind. */
const isOwn = (entry: FieldsOf): boolean =>
  entry.manager === keys.operatorFieldManager && entry.operation === "Update" && setsNumber(entry);

const setsNumber = ({ fieldsV1 }: FieldsOf): boolean => fieldsV1?.["f:spec"]?.["f:replicas"] !== undefined;
