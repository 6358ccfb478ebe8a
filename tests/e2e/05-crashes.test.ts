import { beforeAll, expect, test } from "vitest";
import type { Api } from "../../cluster/api.ts";
import { kinds } from "../../cluster/kinds.ts";
import type { Target } from "../../hack/src/target.ts";
import { claimsByService, givenAddress, lab, labApi, loadBalancer, pool, statusAddress } from "./lab.ts";
import { withoutOperator } from "./operator.ts";

const cell: { api?: Api; target?: Target } = {};
const SERVICES = 120;

beforeAll(async () => {
  [cell.api, cell.target] = [await labApi(), await lab()];
  await cell.target.kubectl(["create", "namespace", "crashes"]);
  await cell.target.kubectl(["apply", "-f", "-"], JSON.stringify(pool("crashes", "10.79.0.0/24")));
});

const kill = (target: Target, controller: "admission" | "watcher"): Promise<string> =>
  target.kubectl([
    "delete",
    "pod",
    "-n",
    "pepr-system",
    "-l",
    `pepr.dev/controller=${controller}`,
    "--grace-period=0",
    "--force",
    "--wait=false",
  ]);

test("operator processes that die while Services are made, changed and deleted lose nothing", async () => {
  const [api, target] = [cell.api!, cell.target!];
  const kills = (async () => {
    for (const controller of ["watcher", "admission", "watcher"] as const) {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await kill(target, controller);
    }
  })();
  for (let index = 0; index < SERVICES; index += 1) {
    const name = `web-${String(index)}`;
    await api.create(kinds.services, loadBalancer("crashes", name, { "metallb.io/address-pool": "crashes" }));
    if (index % 3 === 2)
      await api.remove(kinds.services, { namespace: "crashes", name: `web-${String(index - 1)}` }, {});
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  await kills;
  const unserved = async (): Promise<string[]> => {
    const { items } = await api.list(kinds.services, "crashes");
    return items
      .filter((one) => statusAddress(one) === "" || statusAddress(one) !== givenAddress(one))
      .map((one) => one.metadata?.name ?? "");
  };
  await expect.poll(unserved, { timeout: 90_000, interval: 500 }).toEqual([]);
  const { items } = await api.list(kinds.services, "crashes");
  expect(items).toHaveLength(SERVICES - SERVICES / 3);
  expect(new Set(items.map(statusAddress)).size).toBe(items.length);
});

test("two minutes later no claim is without its Service", async () => {
  const [api] = [cell.api!];
  const orphans = async (): Promise<string[]> => {
    const { items } = await api.list(kinds.services);
    const names = new Set(items.map(({ metadata }) => `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`));
    return [...(await claimsByService(api)).keys()].filter((key) => !names.has(key));
  };
  await expect.poll(orphans, { timeout: 120_000, interval: 1_000 }).toEqual([]);
});

test("addresses that Services hold from before Berth are claimed before any other is given out", async () => {
  const [api, target] = [cell.api!, cell.target!];
  await target.kubectl(["delete", "namespace", "crashes"]);
  await expect
    .poll(async () => [...(await claimsByService(api)).keys()].filter((key) => key.startsWith("crashes/")), {
      timeout: 90_000,
    })
    .toEqual([]);
  await withoutOperator(target, async () => {
    await target.kubectl(["create", "namespace", "crashes"]);
    for (const [name, ip] of [
      ["old-1", "10.79.0.0"],
      ["old-2", "10.79.0.7"],
    ] as const) {
      await api.create(kinds.services, loadBalancer("crashes", name));
      await api.merge(
        kinds.services,
        { namespace: "crashes", name },
        { status: { loadBalancer: { ingress: [{ ip }] } } },
        "status",
      );
    }
    await api.create(kinds.services, loadBalancer("crashes", "new", { "metallb.io/address-pool": "crashes" }));
  });
  const addressOf = async (name: string) =>
    statusAddress(await api.get(kinds.services, { namespace: "crashes", name }));
  await expect.poll(() => addressOf("new"), { timeout: 90_000, interval: 300 }).toBe("10.79.0.1");
  expect([await addressOf("old-1"), await addressOf("old-2")]).toEqual(["10.79.0.0", "10.79.0.7"]);
  const claims = await claimsByService(api);
  expect(["old-1", "old-2", "new"].map((name) => claims.get(`crashes/${name}`)?.[0]?.metadata?.name)).toEqual([
    "10.79.0.0",
    "10.79.0.7",
    "10.79.0.1",
  ]);
});
