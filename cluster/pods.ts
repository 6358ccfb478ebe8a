/**
 * What the operator's pods have beside what Pepr gives them: applied to its Deployments under a field manager of our own, and
 * of fields that Pepr sets not one, so that its next apply neither conflicts nor undoes it.
 */
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import type { Role } from "./cluster.ts";
import { apiVersionOf, type ApiObject, type Kind, type Metadata } from "./kinds.ts";

/** A Deployment, and who owns which of its fields. */
export type Deployment = ApiObject & {
  metadata?: Metadata & { generation?: number; managedFields?: readonly FieldsOf[] };
  spec?: { replicas?: number; template?: object };
};
export type FieldsOf = {
  readonly manager?: string;
  readonly operation?: string;
  readonly fieldsV1?: { readonly "f:spec"?: { readonly "f:replicas"?: object } };
};
export const deployments: Kind<Deployment> = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
};

/** How long an answer to kubelet's probe may take, in seconds: one, as Pepr leaves it, is little on a small busy machine. */
const PROBE_SECONDS = 5;
/** How often kubelet asks whether a pod is ready, in seconds; Pepr leaves ten, and a new pod waits for it. */
const READY_SECONDS = 2;
/** How often, and how many times, kubelet asks a new process whether it has started: for five minutes, where Pepr's probe would end it after 40 s. */
const STARTING = { periodSeconds: 2, failureThreshold: 150 };
/** How many answers in a row may be missing until kubelet ends a process: a minute's. A watcher that hangs has lost its place long before. */
const MISSING_ANSWERS = 6;
/** For how long a pod stays on a node that has gone, in seconds; longer than a kubelet's renewals may be apart. */
const GONE_NODE_SECONDS = 15;
/** For how long an admission pod that is to end still answers, in milliseconds: API servers go on asking it until they hear. */
const LINGER_MILLIS = 3_000;

/** Pepr's name of the container, and what ends it as it should: the watcher gives its place up at once. */
const containers = {
  admission: { name: "server", lingerMillis: LINGER_MILLIS },
  watcher: { name: "watcher", lingerMillis: 0 },
} as const;

/** Hands SIGTERM on: in Pepr's container, the process that gets it starts the module as a child and does not tell it. */
const handOn = (afterMillis: number): string =>
  `setTimeout(() => { for (const id of require("fs").readdirSync("/proc")) if (+id > 1 && +id !== process.pid) process.kill(+id, "SIGTERM") }, ${String(afterMillis)})`;

/** What every pod of that Deployment is to have. Preferred, not required, to be apart: one node will do too. */
export function podSpec(app: string, role: Role): object {
  const { name, lingerMillis } = containers[role];
  const probe = { timeoutSeconds: PROBE_SECONDS };
  return {
    // Pepr gives the admission pods a class of the system's, and the watchers none.
    ...(role === "watcher" ? { priorityClassName: "system-cluster-critical" } : {}),
    enableServiceLinks: false,
    securityContext: { seccompProfile: { type: "RuntimeDefault" } },
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
        name,
        lifecycle: { preStop: { exec: { command: ["node", "-e", handOn(lingerMillis)] } } },
        livenessProbe: { ...probe, failureThreshold: MISSING_ANSWERS },
        readinessProbe: { ...probe, periodSeconds: READY_SECONDS },
        startupProbe: { httpGet: { path: "/healthz", port: 3000, scheme: "HTTPS" }, ...probe, ...STARTING },
      },
    ],
  };
}

/** Has the pods of a Deployment be as they are to be; undefined where there is no such Deployment. */
export async function shapePods(api: Api, name: string, role: Role): Promise<Deployment | undefined> {
  const key = { namespace: keys.operatorNamespace, name };
  // An apply would make the Deployment.
  if ((await api.get(deployments, key)) === undefined) return undefined;
  const template = { spec: podSpec(name, role) };
  const object = { apiVersion: apiVersionOf(deployments), kind: deployments.kind, metadata: key, spec: { template } };
  return api.apply<Deployment>(deployments, object, { fieldManager: keys.operatorFieldManager });
}
