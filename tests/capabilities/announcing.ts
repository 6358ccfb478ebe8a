/** A Service that two nodes may announce, what their announcers report, and what people see of it. */
import { kinds } from "../../cluster/kinds.ts";
import { leaseName } from "../../cluster/leases.ts";
import { keys } from "../../core/keys.ts";
import { advertisement, claim, endpointSlice, lease, node, pool, service } from "../support/builders.ts";
import type { Seed, World } from "../support/world.ts";

/** What stands on a Lease that the operator has written to. */
export const managed = { [keys.plan]: '{"v":1,"generation":1,"vips":[]}' };

/** Two nodes whose announcers run, and "default/web" with 10.0.0.1. */
export const seed: Seed = {
  pools: [pool("homelab-pool", ["10.0.0.0/16"])],
  advertisements: [advertisement("homelab-l2")],
  services: [service("default/web", { addresses: "10.0.0.1" })],
  claims: [claim("10.0.0.1", "default/web")],
  endpointSlices: [endpointSlice("default/web", "node-1")],
  nodes: [node("node-1"), node("node-2")],
  leases: [lease("node-1", managed), lease("node-2", managed)],
};

/** The key of a node's Lease. */
export const keyOf = (name: string, shard = 0) => ({
  namespace: keys.namespace,
  name: leaseName({ node: name, shard }),
});

/** The other one of the two nodes. */
export const other = (name: string | undefined): string => (name === "node-1" ? "node-2" : "node-1");

/** The announcer on a node reports that it answers for these addresses. */
export function report(world: World, name: string, ...ips: readonly string[]): void {
  const answering = ips.length === 0 ? [] : [{ ips, interfaces: [{ name: "lan0", mac: "02:00:00:00:00:01" }] }];
  const status = JSON.stringify({ v: 1, generation: 1, answering, silent: [] });
  world.store.edit(kinds.leases, keyOf(name), { metadata: { annotations: { [keys.status]: status } } });
}

/** All ServiceL2Status. */
export const statuses = (world: World) => world.store.all(kinds.l2Statuses);

/** The Events by which people learn which node announces "default/web", oldest first. */
export const assigned = (world: World) => world.events("default/web").filter((text) => text.startsWith("nodeAssigned"));
