import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { Api } from "../../cluster/api.ts";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { AuditTail } from "../../hack/src/bench/audit.ts";
import { labPaths } from "../../hack/src/lab/paths.ts";
import type { Target } from "../../hack/src/target.ts";
import { claimsByService, givenAddress, lab, labApi, loadBalancer, pool, statusAddress } from "./lab.ts";

const CLIENTS = 16;
const SERVICES = 200;
const cell: { api?: Api; target?: Target } = {};

beforeAll(async () => {
  [cell.api, cell.target] = [await labApi(), await lab()];
  await cell.target.kubectl(["create", "namespace", "burst"]);
  await cell.target.kubectl(["apply", "-f", "-"], JSON.stringify(pool("burst", "10.77.0.0/23")));
});

test("16 clients that create 200 Services at once through two admission pods get 200 addresses", async () => {
  const [api, target] = [cell.api!, cell.target!];
  const audit = new AuditTail(join(labPaths(target.name, process.env).logs, "audit.log"));
  const names = Array.from({ length: SERVICES }, (_, index) => `web-${String(index)}`);
  const queue = [...names];
  const created: Service[] = [];
  const client = async (): Promise<void> => {
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      created.push(
        await api.create(kinds.services, loadBalancer("burst", name, { "metallb.io/address-pool": "burst" })),
      );
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const addresses = created.map(givenAddress);
  expect(addresses).not.toContain("");
  expect(new Set(addresses).size).toBe(SERVICES);
  const made = [...audit.finish()].filter(({ what, isRefused }) => what === "create ipaddresses" && !isRefused);
  const claimers = made.flatMap(({ writer, pod }) => (writer === "pepr-berth" ? [pod] : []));
  // A pod that a roll has just replaced may have answered the first of them.
  expect(new Set(claimers).size).toBeGreaterThan(1);
  const claims = await claimsByService(api);
  for (const service of created) {
    const names = (claims.get(`burst/${service.metadata?.name ?? ""}`) ?? []).map(({ metadata }) => metadata?.name);
    expect(names).toEqual([givenAddress(service)]);
  }
});

test("each of them has its address in its status within seconds", async () => {
  await expect
    .poll(
      async () => {
        const { items } = await cell.api!.list(kinds.services, "burst");
        return items.filter((service) => statusAddress(service) !== givenAddress(service)).length;
      },
      { timeout: 30_000, interval: 200 },
    )
    .toBe(0);
});

test("deleted, they leave no claim behind", async () => {
  await cell.target!.kubectl(["delete", "namespace", "burst"]);
  await expect
    .poll(async () => [...(await claimsByService(cell.api!)).keys()].filter((key) => key.startsWith("burst/")).length, {
      timeout: 60_000,
      interval: 500,
    })
    .toBe(0);
});
