/** Builders of what a plan follows from, and the whole plan at once. */
import type { Advertisement, L2AdvertisementInput } from "../../../core/announce/advertisement.ts";
import { parseAdvertisement } from "../../../core/announce/advertisement.ts";
import type { AnnouncedPool, AnnouncedService, NodePlan, Placed, PlanNode } from "../../../core/announce/plan-types.ts";
import { parsePlan, printPlan, type AnnouncerStatus, type Plan } from "../../../core/announce/plan-text.ts";
import { Planner } from "../../../core/announce/planner.ts";
import { addressFrom, valueOf } from "../builders.ts";

/** MetalLB's order of node-1 to node-3 for it: 3, 2, 1. */
export const IP = "10.0.0.1";

let count = 0;

export const advertisement = (spec: L2AdvertisementInput["spec"] = {}): Advertisement => {
  count += 1;
  return valueOf(parseAdvertisement({ metadata: { name: `l2-${String(count)}`, namespace: "network" }, spec }));
};

export const node = (name: string, parts: Partial<PlanNode> = {}): PlanNode => ({
  name,
  labels: { "kubernetes.io/hostname": name },
  ready: true,
  networkUnavailable: false,
  ...parts,
});

export const service = (parts: Partial<AnnouncedService> = {}): AnnouncedService => ({
  namespace: "default",
  name: "web",
  labels: { app: "web" },
  addresses: [addressFrom(IP)],
  pool: "network/lan",
  endpoints: { nodes: ["node-1"], anywhere: false },
  ...parts,
});

export const three = [node("node-1"), node("node-2"), node("node-3")];
export const lan: AnnouncedPool = { key: "network/lan", name: "lan", labels: {} };

/** What an announcer reports that answers for these addresses on interfaces, and could on those links. */
export const report = (
  ips: readonly string[],
  interfaces: readonly string[] = ["lan0"],
  links?: readonly string[],
): AnnouncerStatus => ({
  generation: 1,
  answering: [{ ips, interfaces: interfaces.map((name) => ({ name, mac: "02:00:00:00:00:01" })) }],
  silent: [],
  interfaces: links,
});

/** What one Lease of a node says of its plan. */
export type Written = { readonly node: string; readonly plan: Plan };

/** Everything that a plan follows from; `answering` are the addresses that each node reports. */
export type World = {
  readonly services: readonly AnnouncedService[];
  readonly pools: readonly AnnouncedPool[];
  readonly advertisements: readonly Advertisement[];
  readonly nodes: readonly PlanNode[];
  readonly answering: Readonly<Record<string, readonly string[]>>;
  readonly written: readonly Written[];
  readonly ignoreExcludeLabel: boolean;
};

/** One Service, one pool, an advertisement of everything, three nodes; and what a test says. */
export const world = (parts: Partial<World> = {}): World => ({
  services: [service()],
  pools: [lan],
  advertisements: [advertisement()],
  nodes: three,
  answering: {},
  written: [],
  ignoreExcludeLabel: false,
  ...parts,
});

export const keyOf = ({ namespace, name }: Pick<AnnouncedService, "namespace" | "name">): string =>
  `${namespace}/${name}`;

/** A planner that was told all of it and has planned once. */
export function plannerOf(parts: Partial<World> = {}): Planner {
  const { services, pools, advertisements, nodes, answering, written, ignoreExcludeLabel } = world(parts);
  const planner = new Planner({ ignoreExcludeLabel });
  for (const { node: name, plan } of written) planner.remember(name, plan);
  for (const one of nodes) planner.setNode(one.name, one);
  planner.setPools(pools);
  for (const one of advertisements) planner.setAdvertisement(one.key, one);
  for (const one of services) planner.setService(keyOf(one), one);
  for (const [name, ips] of Object.entries(answering)) planner.setReport(name, report(ips));
  planner.update();
  return planner;
}

/** What became of each address of the Services. */
export const placedIn = (parts: Partial<World> = {}): readonly Placed[] => {
  const planner = plannerOf(parts);
  return world(parts).services.flatMap((one) => planner.placed(keyOf(one)));
};

/** The candidates of each address that is announced. */
export const candidates = (parts: Partial<World> = {}): readonly (readonly string[])[] =>
  placedIn(parts).flatMap((placed) => (placed.isAnnounced ? [placed.nodes] : []));

/** Why each of the other addresses is not. */
export const problems = (parts: Partial<World> = {}) =>
  placedIn(parts).flatMap((placed) => (placed.isAnnounced ? [] : [placed.problem]));

/** Chooses the node of that name. */
export const on = (name: string) => ({ matchLabels: { "kubernetes.io/hostname": name } });

/** The plans of all nodes. */
export const plansOf = (planner: Planner, nodes: readonly PlanNode[] = three): Readonly<Record<string, NodePlan>> =>
  Object.fromEntries(
    nodes.flatMap(({ name }): [string, NodePlan][] => {
      const plan = planner.planOf(name);
      return plan === undefined ? [] : [[name, plan]];
    }),
  );

/** What the Leases say that these plans are written into, as it is read back; each holds as much as is given. */
export const leasesOf = (
  plans: Readonly<Record<string, NodePlan>>,
  { generation = 1, shardBytes }: { readonly generation?: number; readonly shardBytes?: number } = {},
): readonly Written[] =>
  Object.entries(plans).flatMap(([name, plan]) =>
    printPlan(generation, plan, shardBytes).map((text) => ({ node: name, plan: valueOf(parsePlan(text)) })),
  );
