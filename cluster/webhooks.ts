/** What Pepr's webhook configurations are to say beside what Pepr writes: which requests concern Berth, and what happens without it. */
import type { models } from "kubernetes-fluent-client";
import { keys } from "../core/keys.ts";
import type { Serving } from "./certificates.ts";
import { bgpKinds } from "./kinds.ts";

type Webhook = models.V1ValidatingWebhook | models.V1MutatingWebhook;
type Configuration = { readonly metadata?: { readonly name?: string }; readonly webhooks?: readonly Webhook[] };

/** The entry of our own for pools and advertisements, in which an unreachable webhook means refusal. */
export const STRICT_ENTRY = "configuration.berth.dev";
/** The entry of our own for Services, which are admitted where the webhook can't be reached. */
const LENIENT_ENTRY = "services.berth.dev";
/** The entry of our own for the kinds of BGP, for which there is only a Warning. */
const BGP_ENTRY = "bgp.berth.dev";

/** Pepr's own entry stands, as it writes it anew with each deploy, and asks nobody. */
const NEVER = [{ name: "asked-by-entries-of-its-own", expression: "false" }];

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

const CLEANERS = keys.namespaceCleaners.map((user) => `'${user}'`).join(", ");

/** A namespace that is being deleted takes its pools with it, also while the webhook is away. */
const NOT_BY_CLEANERS = [
  {
    name: "not-deleted-with-its-namespace",
    expression: `!(request.operation == 'DELETE' && request.userInfo.username in [${CLEANERS}])`,
  },
];

/**
 * The entries to apply, under a field manager of our own, so that Pepr's next apply neither conflicts nor undoes them: three
 * in place of Pepr's, one of which fails closed, that ask whoever serves with what is Berth's own. Undefined where Pepr's
 * entry is missing. Outside of a cluster (`pepr dev`) Pepr's own certificate is served, and is trusted here too.
 */
export function narrowed({ metadata, webhooks }: Configuration, serving: Serving): readonly object[] | undefined {
  const peprs = (webhooks ?? []).find(({ name }) => name === `${metadata?.name ?? ""}.pepr.dev`);
  if (peprs === undefined) return undefined;
  const { admissionReviewVersions, matchPolicy, namespaceSelector, rules = [], timeoutSeconds } = peprs;
  const rulesOf = (entry: string): typeof rules => rules.filter((rule) => entryOf(rule) === entry);
  const [strict, lenient, bgp] = [rulesOf(STRICT_ENTRY), rulesOf(LENIENT_ENTRY), rulesOf(BGP_ENTRY)];
  const common = { admissionReviewVersions, clientConfig: clientOf(peprs, serving), matchPolicy, timeoutSeconds };
  const services = {
    name: LENIENT_ENTRY,
    ...common,
    failurePolicy: "Ignore",
    matchConditions: LOAD_BALANCERS_ONLY,
    namespaceSelector,
    rules: lenient,
    sideEffects: "NoneOnDryRun",
  };
  const configuration = {
    name: STRICT_ENTRY,
    ...common,
    failurePolicy: "Fail",
    matchConditions: NOT_BY_CLEANERS,
    rules: strict,
    sideEffects: "NoneOnDryRun",
  };
  const unspoken = { name: BGP_ENTRY, ...common, failurePolicy: "Ignore", rules: bgp, sideEffects: "None" };
  return [
    { name: peprs.name, matchConditions: NEVER },
    ...(lenient.length === 0 ? [] : [services]),
    ...(strict.length === 0 ? [] : [configuration]),
    ...(bgp.length === 0 ? [] : [unspoken]),
  ];
}

const BGP_RESOURCES: readonly string[] = Object.values(bgpKinds).map(({ plural }) => plural);

/** The entry that a rule of Pepr's belongs in. */
function entryOf({ apiGroups, resources }: models.V1RuleWithOperations): string {
  if (apiGroups?.includes(keys.metallbGroup) !== true) return LENIENT_ENTRY;
  return resources?.some((resource) => BGP_RESOURCES.includes(resource)) === true ? BGP_ENTRY : STRICT_ENTRY;
}

/** How the API server reaches the webhook: Pepr's Service, at the path and with the authorities that are Berth's own. */
function clientOf({ clientConfig }: Webhook, { authorities, path }: Serving): object {
  const { service } = clientConfig;
  if (service?.path === undefined) return clientConfig;
  const { name, namespace } = service;
  const [, verb = ""] = service.path.split("/");
  const caBundle = Buffer.from(authorities).toString("base64");
  return { caBundle, service: { name, namespace, path: `/${verb}/${path}` } };
}

/** Whether the configuration says already what it is to say. */
export function isNarrowed(configuration: Configuration, serving: Serving): boolean {
  const wanted = narrowed(configuration, serving);
  return (wanted ?? []).every((entry) => {
    const current = (configuration.webhooks ?? []).find((webhook) => "name" in entry && webhook.name === entry.name);
    return current !== undefined && contains(current, entry);
  });
}

/** Whether a value has everything that a part of it lists; the API server adds defaults. */
function contains(whole: unknown, part: unknown): boolean {
  if (part === undefined) return true; // it is not sent
  if (part === null || typeof part !== "object") return whole === part;
  if (whole === null || typeof whole !== "object") return false;
  const values = new Map(Object.entries(whole));
  return Object.entries(part).every(([key, value]) => contains(values.get(key), value));
}
