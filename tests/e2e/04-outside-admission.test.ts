import { beforeAll, expect, test } from "vitest";
import type { Api } from "../../cluster/api.ts";
import { kinds } from "../../cluster/kinds.ts";
import type { Target } from "../../hack/src/target.ts";
import { claimsByService, givenAddress, lab, labApi, loadBalancer, pool, statusAddress } from "./lab.ts";

const cell: { api?: Api; target?: Target } = {};

beforeAll(async () => {
  [cell.api, cell.target] = [await labApi(), await lab()];
  await cell.target.kubectl(["apply", "-f", "-"], JSON.stringify(pool("outside", "10.78.0.0/24")));
  await cell.target.kubectl(["create", "namespace", "outside"]);
});

const fromPool = { "metallb.io/address-pool": "outside" };
const read = (namespace: string, name: string) => cell.api!.get(kinds.services, { namespace, name });

test("a Service in kube-system, which no webhook sees, gets its address from the watcher", async () => {
  await cell.api!.create(kinds.services, loadBalancer("kube-system", "traefik", fromPool));
  await expect
    .poll(async () => statusAddress(await read("kube-system", "traefik")), { timeout: 10_000 })
    .toMatch(/^10\.78\.0\./);
  expect(givenAddress(await read("kube-system", "traefik"))).toBe(statusAddress(await read("kube-system", "traefik")));
  await cell.target!.kubectl(["delete", "svc", "traefik", "-n", "kube-system"]);
});

test("a Service whose name the API server makes up gets its address from the watcher", async () => {
  const { spec } = loadBalancer("outside", "x");
  const created = await cell.api!.create(kinds.services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "outside", generateName: "web-", annotations: fromPool },
    ...(spec === undefined ? {} : { spec }),
  });
  const name = created.metadata?.name ?? "";
  await expect
    .poll(async () => statusAddress(await read("outside", name)), { timeout: 10_000 })
    .toMatch(/^10\.78\.0\./);
});

test("a Service of another class is left alone", async () => {
  const service = loadBalancer("outside", "theirs", fromPool);
  await cell.api!.create(kinds.services, {
    ...service,
    spec: { ...service.spec, loadBalancerClass: "example.com/other" },
  });
  // As the controller of that class writes it.
  const status = { loadBalancer: { ingress: [{ ip: "203.0.113.7" }] } };
  await cell.api!.merge(kinds.services, { namespace: "outside", name: "theirs" }, { status }, "status");
  await cell.api!.create(kinds.services, loadBalancer("outside", "ours", fromPool));
  await expect.poll(async () => statusAddress(await read("outside", "ours")), { timeout: 10_000 }).not.toBe("");
  const theirs = await read("outside", "theirs");
  expect([givenAddress(theirs), statusAddress(theirs)]).toEqual(["", "203.0.113.7"]);
  expect(theirs?.status?.conditions ?? []).toEqual([]);
});

test("a Service that becomes a ClusterIP loses its address, and its claim within the grace", async () => {
  await cell.api!.create(kinds.services, loadBalancer("outside", "turned", fromPool));
  await expect.poll(async () => statusAddress(await read("outside", "turned")), { timeout: 10_000 }).not.toBe("");
  await cell.target!.kubectl(["patch", "svc", "turned", "-n", "outside", "-p", '{"spec":{"type":"ClusterIP"}}']);
  await expect.poll(async () => statusAddress(await read("outside", "turned")), { timeout: 10_000 }).toBe("");
  expect(givenAddress(await read("outside", "turned"))).toBe("");
  await expect
    .poll(async () => (await claimsByService(cell.api!)).has("outside/turned"), { timeout: 90_000, interval: 1_000 })
    .toBe(false);
});

test("deleted and created again at once, a Service keeps its address", async () => {
  await cell.api!.create(
    kinds.services,
    loadBalancer("outside", "again", { "metallb.io/loadBalancerIPs": "10.78.0.99" }),
  );
  await cell.target!.kubectl(["delete", "svc", "again", "-n", "outside"]);
  const again = await cell.api!.create(kinds.services, loadBalancer("outside", "again", fromPool));
  expect(givenAddress(again)).toBe("10.78.0.99");
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  expect((await claimsByService(cell.api!)).get("outside/again")?.map(({ metadata }) => metadata?.name)).toEqual([
    "10.78.0.99",
  ]);
});
