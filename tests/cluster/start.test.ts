import { expect, onTestFinished, test, vi } from "vitest";
import { Cluster } from "../../cluster/cluster.ts";
import { roleOf, start } from "../../cluster/start.ts";
import type { ApiObject, Kind } from "../../cluster/kinds.ts";
import { MemoryStore } from "../support/memory-api.ts";

const daemonSets: Kind<ApiObject> = { group: "apps", version: "v1", kind: "DaemonSet", plural: "daemonsets" };
const announcers = { namespace: "metallb-system", name: "announcer" };

test("the watcher works on Services while an announcer of a dead node never becomes ready", async () => {
  vi.stubEnv("SSL_CERT_PATH", "/nowhere");
  const store = new MemoryStore();
  const ending = new AbortController();
  onTestFinished(() => {
    ending.abort();
    vi.unstubAllEnvs();
  });
  const watching = Promise.withResolvers<undefined>();
  const serve = vi.fn();
  const parts = [
    {
      startWatching: () => {
        watching.resolve(undefined);
        return Promise.resolve();
      },
    },
  ];
  const started = start(
    { cluster: new Cluster(store.client()), parts, serve, webhooks: "pepr-berth" },
    "watcher",
    ending.signal,
  );
  await watching.promise;
  expect(serve).not.toHaveBeenCalled();
  const status = { observedGeneration: 1, desiredNumberScheduled: 3, numberReady: 3 };
  store.edit(daemonSets, announcers, { metadata: { generation: 1 }, status });
  await started;
  expect(serve).toHaveBeenCalledOnce();
});

test.each([
  [{ PEPR_MODE: "build" }, "none"],
  [{ PEPR_MODE: "dev" }, "none"],
  [{ PEPR_WATCH_MODE: "true" }, "watcher"],
  [{ PEPR_WATCH_MODE: "false" }, "admission"],
  [{}, "admission"],
])("the process of environment %j is: %s", (environment, role) => {
  expect(roleOf(environment)).toBe(role);
});
