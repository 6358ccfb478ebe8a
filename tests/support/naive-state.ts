/** The stored objects as values of the naive allocator. */
import type { IPAddressPool } from "../../cluster/crd.ts";
import { kinds, metadataOf, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import type { NaivePool, NaiveService, NaiveState } from "./naive-allocator.ts";
import type { World } from "./world.ts";

/** The items of a list separated by commas. */
export const split = (text = ""): readonly string[] => (text === "" ? [] : text.split(","));

function stackOf({ spec }: Service): Pick<NaiveService, "families" | "needsAll"> {
  const { clusterIPs = [], ipFamilyPolicy } = spec ?? {};
  const families = clusterIPs.map((ip): 4 | 6 => (ip.includes(":") ? 6 : 4));
  const isSingle = ipFamilyPolicy === "SingleStack";
  return { families: isSingle ? families.slice(0, 1) : families, needsAll: ipFamilyPolicy !== "PreferDualStack" };
}

const backendOf = (spec: Service["spec"]): Pick<NaiveService, "ports" | "local"> => ({
  ports: (spec?.ports ?? []).map(({ port }) => port),
  local: spec?.externalTrafficPolicy === "Local" ? JSON.stringify(spec.selector) : undefined,
});

/** A stored Service as the naive allocator has it. */
export function naiveService(one: Service): NaiveService {
  const { spec } = one;
  const { namespace: ns, name, annotations } = metadataOf(one);
  return {
    namespace: ns,
    name,
    ...stackOf(one),
    pins: split(annotations[keys.pinNew]),
    pool: annotations[keys.poolNew] ?? "",
    share: annotations[keys.shareNew] ?? "",
    ...backendOf(spec),
    has: split(annotations[keys.addresses]),
  };
}

const listRange = (range: string): readonly string[] => {
  const [first = "", last = ""] = range.split("-");
  const base = first.slice(0, -1);
  return Array.from({ length: Number(last.slice(base.length)) }, (_, index) => `${base}${String(index + 1)}`);
};

function naivePool(one: IPAddressPool): NaivePool {
  const { addresses = [], autoAssign = true, serviceAllocation: allocation } = one.spec ?? {};
  const { namespace, name, annotations } = metadataOf(one);
  return {
    namespace,
    name,
    addresses: addresses.flatMap(listRange),
    autoAssign,
    isAcross: annotations[keys.poolCrossNamespaceSharing] === "true",
    ...allocationOf(allocation ?? undefined),
  };
}

type Allocation = NonNullable<IPAddressPool["spec"]>["serviceAllocation"];
const allocationOf = (allocation: Allocation): Pick<NaivePool, "priority" | "namespaces" | "team"> => ({
  priority: allocation === undefined ? undefined : (allocation.priority ?? 0),
  namespaces: allocation?.namespaces ?? [],
  team: allocation?.namespaceSelectors?.[0]?.matchLabels?.["team"],
});

/** What is stored, as the naive allocator has it. */
export const stateOf = ({ store }: World): NaiveState => ({
  pools: store.all(kinds.pools).map(naivePool),
  services: store
    .all(kinds.services)
    .filter(({ spec }) => spec?.type === "LoadBalancer")
    .map(naiveService),
  teams: Object.fromEntries(
    store.all(kinds.namespaces).map(({ metadata }) => [metadata?.name ?? "", metadata?.labels?.["team"] ?? ""]),
  ),
});
