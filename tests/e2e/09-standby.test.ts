import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import type { Api } from "../../cluster/api.ts";
import { kinds } from "../../cluster/kinds.ts";
import { nodesBack } from "../../hack/src/failover/outage.ts";
import { until } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";
import { claimsByService, givenAddress, lab, labApi, loadBalancer, pool, statusAddress } from "./lab.ts";
import { awaitSuccessor, leaderName, leaderOfTwo, scaleWatchers, wantedCount, watcherPods } from "./watchers.ts";

const cell: { api?: Api; target?: Target } = {};
const fromPool = { "metallb.io/address-pool": "standby" };
const read = (name: string, namespace = "standby") => cell.api!.get(kinds.services, { namespace, name });
const create = (name: string, annotations: Record<string, string> = fromPool, namespace = "standby") =>
  cell.api!.create(kinds.services, loadBalancer(namespace, name, annotations));

beforeAll(async () => {
  [cell.api, cell.target] = [await labApi(), await lab()];
  await cell.target.kubectl(["create", "namespace", "standby"]);
  await cell.target.kubectl(["apply", "-f", "-"], JSON.stringify(pool("standby", "10.82.0.0/24")));
  // An earlier test may have left one; a person's number is left alone.
  if ((await wantedCount(cell.target)) !== 2) await scaleWatchers(cell.target, 2);
});

/** Waits for the status of a Service that has just been made; says after how many milliseconds it was there. */
async function awaitStatus(name: string, withinMillis: number): Promise<number> {
  const startMillis = performance.now();
  await until(`a status of ${name}`, withinMillis, 20, async () => {
    const found = await read(name).catch(() => undefined);
    return statusAddress(found) === "" ? undefined : found;
  });
  return performance.now() - startMillis;
}

test("two watchers are ready, on nodes of their own, and one of them leads", async () => {
  await leaderOfTwo(cell.target!);
  const nodes = (await watcherPods(cell.target!)).map(({ node }) => node);
  expect(new Set(nodes).size).toBe(2);
});

test("a leader that is killed is followed by the other: a Service made right after has its status within 10 s", async () => {
  const target = cell.target!;
  const { name, node } = await leaderOfTwo(target);
  await target.lab("kill", node, "watcher");
  const made = create("killed");
  const [took] = await Promise.all([
    made.then(() => awaitStatus("killed", 10_000)),
    awaitSuccessor(target, name, 10_000),
  ]);
  expect(took).toBeLessThan(10_000);
});

test("a leader that is told to stop gives its place up before a crash would be noticed", async () => {
  const target = cell.target!;
  const { name } = await leaderOfTwo(target);
  await target.kubectl(["delete", "pod", "-n", "pepr-system", name, "--wait=false"]);
  // The Lease of one that has crashed lapses 5 s after it at the earliest.
  expect(await awaitSuccessor(target, name, 10_000)).toBeLessThan(4_500);
  await create("stopped");
  await awaitStatus("stopped", 10_000);
});

test("what happens while both watchers are away is in line once they are back", async () => {
  const [api, target] = [cell.api!, cell.target!];
  for (const name of ["kept", "deleted", "turned", "moved"]) await create(name);
  await create("again", { "metallb.io/loadBalancerIPs": "10.82.0.200" });
  for (const name of ["kept", "deleted", "turned", "moved", "again"]) await awaitStatus(name, 10_000);
  await scaleWatchers(target, 0);
  const key = (name: string) => ({ namespace: "standby", name });
  await create("new");
  await create("outside", fromPool, "kube-system");
  await api.remove(kinds.services, key("deleted"), {});
  await api.merge(kinds.services, key("turned"), { spec: { type: "ClusterIP" } });
  await api.merge(kinds.services, key("moved"), {
    metadata: { annotations: { "metallb.io/loadBalancerIPs": "10.82.0.99" } },
  });
  await api.remove(kinds.services, key("again"), {});
  await create("again");
  const kept = statusAddress(await read("kept"));
  await sleep(2_000);
  expect(statusAddress(await read("new"))).toBe("");
  await scaleWatchers(target, 2);
  await expect
    .poll(
      async () => ({
        new:
          statusAddress(await read("new")) === givenAddress(await read("new")) &&
          givenAddress(await read("new")) !== "",
        outside: statusAddress(await read("outside", "kube-system")).startsWith("10.82.0."),
        turned: statusAddress(await read("turned")),
        moved: statusAddress(await read("moved")),
        again: statusAddress(await read("again")),
        kept: statusAddress(await read("kept")),
      }),
      { timeout: 150_000, interval: 500 },
    )
    .toEqual({ new: true, outside: true, turned: "", moved: "10.82.0.99", again: "10.82.0.200", kept });
  // The grace of a claim begins anew with a watcher that has not seen its Service go.
  const claimants = async () => {
    const claims = await claimsByService(api);
    return ["deleted", "turned"].filter((name) => claims.has(`standby/${name}`));
  };
  await expect.poll(claimants, { timeout: 120_000, interval: 1_000 }).toEqual([]);
  expect((await claimsByService(api)).get("standby/moved")?.map(({ metadata }) => metadata?.name)).toEqual([
    "10.82.0.99",
  ]);
  await target.kubectl(["delete", "svc", "outside", "-n", "kube-system"]);
});

test("after the API server was away for 20 s, a Service made at once has its status within 10 s", async () => {
  const target = cell.target!;
  await leaderOfTwo(target);
  await target.lab("api", "stop");
  await sleep(20_000);
  const started = target.lab("api", "start");
  await until("an answer to a create", 120_000, 20, () => create("after").catch(() => undefined));
  await awaitStatus("after", 10_000);
  await started;
  const backMillis = Date.now();
  await leaderOfTwo(target);
  expect(await leaderName(target)).not.toBe("");
  await nodesBack(target, backMillis);
});
