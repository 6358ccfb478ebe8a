/** How many watchers there are and where they run, beside what `pepr deploy` writes: it makes one, and can't be told otherwise. */
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { apiVersionOf, type ApiObject, type Kind, type Metadata } from "./kinds.ts";
import type { Lead } from "./leadership.ts";
import { log } from "./log.ts";
import { Queue } from "./queue.ts";

type FieldsOf = {
  readonly manager?: string;
  readonly operation?: string;
  readonly fieldsV1?: { readonly "f:spec"?: { readonly "f:replicas"?: object } };
};
type Deployment = ApiObject & {
  metadata?: Metadata & { generation?: number; managedFields?: readonly FieldsOf[] };
  spec?: { replicas?: number; template?: object };
};
const deployments: Kind<Deployment> = { group: "apps", version: "v1", kind: "Deployment", plural: "deployments" };

type Key = { readonly namespace: string; readonly name: string };

/** Pause after which the Deployment is read again, in milliseconds. */
const AGAIN_MILLIS = 30_000;
/** How long an answer to kubelet's probe may take, in seconds: one, as Pepr leaves it, is little on a small busy machine. */
const PROBE_SECONDS = 5;
/** How often, and how many times, kubelet asks a new process whether it has started: for two minutes, where Pepr's probe would end it after 40 s. */
const STARTING = { periodSeconds: 2, failureThreshold: 60 };
/** For how long a pod stays on a node that has gone, in seconds; longer than a kubelet's renewals may be apart. */
const GONE_NODE_SECONDS = 15;

/** Hands SIGTERM on: in Pepr's container, the process that gets it starts the module as a child and does not tell it. */
const HAND_ON =
  'for (const id of require("fs").readdirSync("/proc")) if (+id > 1 && +id !== process.pid) process.kill(+id, "SIGTERM")';

/** What every pod of the watcher is to have, beside what Pepr gives it. Preferred, not required: one node will do too. */
export const podSpec = (app: string): object => ({
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app } } },
        },
      ],
    },
  },
  tolerations: ["not-ready", "unreachable"].map((state) => ({
    key: `node.kubernetes.io/${state}`,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: GONE_NODE_SECONDS,
  })),
  containers: [
    {
      name: "watcher",
      lifecycle: { preStop: { exec: { command: ["node", "-e", HAND_ON] } } },
      livenessProbe: { timeoutSeconds: PROBE_SECONDS },
      startupProbe: {
        httpGet: { path: "/healthz", port: 3000, scheme: "HTTPS" },
        timeoutSeconds: PROBE_SECONDS,
        ...STARTING,
      },
    },
  ],
});

/** How many watchers the environment asks for, as `BERTH_WATCHERS`. */
export function wantedWatchers({ BERTH_WATCHERS: text = "" }: NodeJS.ProcessEnv): number {
  return /^[1-9]$/.test(text) ? Number(text) : 2;
}

/** Keeps as many watchers running as are wanted; see {@link setWatchers}. */
export function keepWatchers(api: Api, name: string, wanted: number): Lead {
  const run = async (): Promise<number> => {
    await setWatchers(api, name, wanted);
    return AGAIN_MILLIS;
  };
  const queue = new Queue({ name: deployments.plural, workers: 1, run });
  return (term) => {
    queue.start(term);
    queue.add(name);
    return Promise.resolve();
  };
}

/**
 * Has as many watchers run as are wanted, in place of Pepr's one, each on a node of its own if it can; a number that a
 * person has set is left alone. True where the pods change with that, so that those which run are about to be replaced.
 */
export async function setWatchers(api: Api, name: string, wanted: number): Promise<boolean> {
  const key = { namespace: keys.operatorNamespace, name };
  const found = await api.get(deployments, key);
  if (found === undefined) return false;
  if (!isPeprs(found)) {
    await disown(api, key, found);
    return false;
  }
  const template = await spread(api, key);
  const { resourceVersion, generation } = template.metadata ?? {};
  const written = await api.merge(deployments, key, { metadata: { resourceVersion }, spec: { replicas: wanted } });
  log.info({ name, watchers: wanted }, "number of watchers set");
  await disown(api, key, written);
  return generation !== found.metadata?.generation;
}

function spread(api: Api, key: Key): Promise<Deployment> {
  const template = { spec: podSpec(key.name) };
  const object = { apiVersion: apiVersionOf(deployments), kind: deployments.kind, metadata: key, spec: { template } };
  return api.apply<Deployment>(deployments, object, { fieldManager: keys.operatorFieldManager });
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
