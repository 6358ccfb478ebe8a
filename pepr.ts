/** The module: its capabilities, and the cluster they share. */
import { PeprModule } from "pepr";
import { announcements } from "./capabilities/announcements.ts";
import { peers } from "./capabilities/peers.ts";
import { pools } from "./capabilities/pools.ts";
import { services } from "./capabilities/services.ts";
import { apiOver } from "./cluster/api.ts";
import { Cluster } from "./cluster/cluster.ts";
import { eventsAside } from "./cluster/events.ts";
import { roleOf, start } from "./cluster/start.ts";
import { lazily } from "./cluster/transport.ts";
import settings from "./package.json";

const cluster = new Cluster(eventsAside(apiOver(lazily())));
const parts = [services(cluster), pools(cluster), announcements(cluster), peers()];
const module = new PeprModule(
  settings,
  parts.map(({ capability }) => capability),
  { deferStart: true },
);
const role = roleOf(process.env);
if (role !== "none") {
  const serve = (): void => {
    module.start(Number(process.env["BERTH_PORT"] ?? "3000"));
  };
  const webhooks = `pepr-${settings.pepr.uuid}`;
  void start({ cluster, parts, serve, webhooks }, role, new AbortController().signal);
}
