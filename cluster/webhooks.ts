/** What Pepr's webhook configurations are to say beside what Pepr writes: which requests concern Berth, and what happens without it. */
import type { models } from "kubernetes-fluent-client";
import { keys } from "../core/keys.ts";

type Webhook = models.V1ValidatingWebhook | models.V1MutatingWebhook;
type Configuration = { readonly metadata?: { readonly name?: string }; readonly webhooks?: readonly Webhook[] };

/** The entry of our own, in which an unreachable webhook means refusal. */
export const STRICT_ENTRY = "configuration.berth.dev";

/** Without these, every Service of the cluster would wait for the webhook, and stand without it. */
const LOAD_BALANCERS_ONLY = [
  {
    name: "only-load-balancer-services",
    expression:
      "request.resource.group == '' && request.resource.resource == 'services' && " +
      "((object != null && object.spec.type == 'LoadBalancer') || (oldObject != null && oldObject.spec.type == 'LoadBalancer'))",
  },
  {
    // What the watcher writes is decided already; to restore what it changes would undo it.
    name: "not-by-the-operator",
    expression: `request.userInfo.username != '${keys.operatorUser}'`,
  },
];

/** A namespace that is being deleted takes its pools with it, also while the webhook is away. */
const NOT_BY_CLEANERS = [
  {
    name: "not-deleted-with-its-namespace",
    expression:
      "!(request.operation == 'DELETE' && request.userInfo.username == 'system:serviceaccount:kube-system:namespace-controller')",
  },
];

/**
 * The entries to apply, under a field manager of our own, so that Pepr's next apply neither conflicts nor undoes them:
 * Pepr's own entry narrowed, and for MetalLB's kinds one that fails closed. Undefined where Pepr's entry is missing.
 */
export function narrowed({ metadata, webhooks }: Configuration): readonly object[] | undefined {
  const peprs = (webhooks ?? []).find(({ name }) => name === `${metadata?.name ?? ""}.pepr.dev`);
  if (peprs === undefined) return undefined;
  const strict = (peprs.rules ?? []).filter(({ apiGroups }) => apiGroups?.includes(keys.metallbGroup));
  const entry = { name: peprs.name, matchConditions: LOAD_BALANCERS_ONLY };
  if (strict.length === 0) return [entry];
  return [
    entry,
    {
      name: STRICT_ENTRY,
      admissionReviewVersions: peprs.admissionReviewVersions,
      clientConfig: peprs.clientConfig,
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      matchConditions: NOT_BY_CLEANERS,
      rules: strict,
      sideEffects: "NoneOnDryRun",
      timeoutSeconds: peprs.timeoutSeconds,
    },
  ];
}

/** Whether the configuration says already what it is to say. */
export function isNarrowed(configuration: Configuration): boolean {
  const wanted = narrowed(configuration);
  return (wanted ?? []).every((entry) => {
    const current = (configuration.webhooks ?? []).find((webhook) => "name" in entry && webhook.name === entry.name);
    return current !== undefined && contains(current, entry);
  });
}

/** Whether a value has everything that a part of it lists; the API server adds defaults. */
function contains(whole: unknown, part: unknown): boolean {
  if (part === null || typeof part !== "object") return whole === part;
  if (whole === null || typeof whole !== "object") return false;
  const values = new Map(Object.entries(whole));
  return Object.entries(part).every(([key, value]) => contains(values.get(key), value));
}
