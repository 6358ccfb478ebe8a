/** What a client does to a Service: patches, and what each of them asks for. */
import type { Service } from "../../../cluster/kinds.ts";
import { contested, NAMESPACES, type PoolName } from "./ground.ts";
import type { Random } from "./random.ts";

/** Whether an act leaves the address alone, asks for another, or may cost a sharer its place. */
export type Asks = "nothing" | "another" | "terms";

export type Act = { readonly name: string; readonly asks: Asks; readonly patch: object };

const annotate = (key: string, value: string | null): object => ({ metadata: { annotations: { [key]: value } } });
const PIN = "metallb.io/loadBalancerIPs";
const POOL = "metallb.io/address-pool";
const KEY = "metallb.io/allow-shared-ip";

/** Sharers differ in one port only now and then, so that most may come in. */
const port = (random: Random): number => 8_000 + random.below(2_000);

const portsPatch = (random: Random): object => ({
  spec: { ports: [{ name: "web", port: port(random), protocol: random.pick(["TCP", "UDP"]) }] },
});

const policies = ["Cluster", "Local"] as const;
const KEYS = ["red", "green", "blue"] as const;

/** Any change, as chance will; sharers are told by their name. */
export function anyAct(
  random: Random,
  { isSharer, isLoadBalancer }: { isSharer: boolean; isLoadBalancer: boolean },
): Act {
  if (!isLoadBalancer) return { name: "to LoadBalancer", asks: "another", patch: { spec: { type: "LoadBalancer" } } };
  const terms: Asks = isSharer ? "terms" : "nothing";
  const pinned: PoolName = isSharer ? "torture-shared" : random.pick(["torture-large", "torture-small"]);
  return random.weighted<() => Act>([
    [3, () => ({ name: "pin", asks: "another", patch: annotate(PIN, contested(pinned, random.below(64))) })],
    [3, () => ({ name: "unpin", asks: "nothing", patch: annotate(PIN, null) })],
    [2, () => ({ name: "name a pool", asks: "another", patch: annotate(POOL, isSharer ? "torture-shared" : pinned) })],
    [2, () => ({ name: "name no pool", asks: "nothing", patch: annotate(POOL, null) })],
    [3, () => ({ name: "change ports", asks: terms, patch: portsPatch(random) })],
    [2, () => ({ name: "policy", asks: terms, patch: { spec: { externalTrafficPolicy: random.pick(policies) } } })],
    [2, () => ({ name: "to ClusterIP", asks: "another", patch: toClusterIP })],
    [1, () => ({ name: "label", asks: "nothing", patch: { metadata: { labels: { look: String(random.below(9)) } } } })],
    [isSharer ? 2 : 0, () => ({ name: "other key", asks: terms, patch: annotate(KEY, random.pick(["", ...KEYS])) })],
  ])();
}

/** The API server itself drops what only a LoadBalancer may have, but for the policy. */
const toClusterIP = { spec: { type: "ClusterIP", externalTrafficPolicy: null } };

type Made = { readonly service: Service; readonly isSharer: boolean };

/** Which Services there may be; of a calm client, plain ones alone. */
export type Kinds = { readonly isDualStack: boolean; readonly isCalm: boolean };

/** A new Service, as chance will. */
export function anyService(random: Random, name: string, { isDualStack, isCalm }: Kinds): Made {
  const seen = NAMESPACES.filter((one) => !isCalm || one !== "kube-system");
  const namespace = random.weighted(seen.map((one) => [one === "kube-system" ? 1 : 6, one]));
  const kind = random.weighted([
    [45, "plain"],
    [isCalm ? 0 : 12, "small"],
    [isCalm ? 0 : 20, "shared"],
    [isCalm ? 0 : 12, "dual"],
    [isCalm ? 0 : 11, "pinned"],
  ] as const);
  const annotations = {
    plain: {},
    small: { [POOL]: "torture-small" },
    shared: { [POOL]: "torture-shared", [KEY]: random.pick(KEYS) },
    dual: { [POOL]: "torture-dual" },
    pinned: { [PIN]: contested(random.pick(["torture-large", "torture-small"]), random.below(64)) },
  }[kind];
  const dual =
    kind === "dual" && isDualStack ? { ipFamilyPolicy: random.pick(["RequireDualStack", "PreferDualStack"]) } : {};
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name: `${kind}-${name}`, annotations, labels: { torture: "true" } },
    spec: {
      type: "LoadBalancer",
      allocateLoadBalancerNodePorts: false,
      ports: [{ name: "web", port: port(random), protocol: "TCP" }],
      ...(kind === "shared" && random.below(2) === 0 ? { selector: { app: random.pick(["x", "y"]) } } : {}),
      ...dual,
    },
  };
  return { service, isSharer: kind === "shared" };
}
