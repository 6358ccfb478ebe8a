/** Planned maintenance as docs/operations.md tells it: one pod of each pair at a time, and nobody who creates Services notices. */
import { expect, test } from "vitest";
import { until } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";
import { lab } from "./lab.ts";
import { DEPLOYMENTS, podsWith, rolledOut } from "./operator.ts";
import { Person, poolOf, wish } from "./people.ts";

const inNamespace = ["-n", "pepr-system"];

/** Each pair of the operator's pods, by what they do. */
const pairs = (target: Target) =>
  Promise.all(["admission", "watcher"].map((one) => podsWith(target, "pepr-system", `pepr.dev/controller=${one}`)));

/** kubectl's words to an eviction; empty where it is done. */
async function evict({ tryKubectl }: Target, name: string): Promise<string> {
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: "pepr-system" } };
  const path = `/api/v1/namespaces/pepr-system/pods/${name}/eviction`;
  return (await tryKubectl(["create", "--raw", path, "-f", "-"], JSON.stringify(eviction))).stderr;
}

test("the two pods of each pair are on two nodes", async () => {
  const target = await lab();
  await rolledOut(target);
  for (const pair of await pairs(target))
    expect(new Set(pair.map(({ node }) => node)).size, JSON.stringify(pair)).toBe(2);
});

test.each([
  ["admission", DEPLOYMENTS[0]],
  ["watcher", DEPLOYMENTS[1]],
])("while one pod of %s is away, the other is not evicted", async (controller, budget) => {
  const target = await lab();
  const [first, second] = await podsWith(target, "pepr-system", `pepr.dev/controller=${controller}`);
  const allowed = () =>
    target.kubectl(["get", "pdb", budget, ...inNamespace, "-o", "jsonpath={.status.disruptionsAllowed}"]);
  await expect.poll(allowed, { timeout: 60_000 }).toBe("1");
  expect(await evict(target, first!.name)).toBe("");
  expect(await evict(target, second!.name)).toContain(
    "Cannot evict pod as it would violate the pod's disruption budget",
  );
  await rolledOut(target);
  await expect.poll(allowed, { timeout: 60_000 }).toBe("1");
});

test("a drain moves the operator's pods off the node, every Service that is applied meanwhile has its address in the answer, and the announcer stays", async () => {
  const target = await lab();
  const someone = new Person(target, "drained");
  await target.kubectl(["create", "namespace", "drained"]);
  await someone.put(poolOf("drained/drained", ["10.67.0.0/23"]));
  const [admission] = await pairs(target);
  const { node } = admission![0]!;
  const announcerThere = async () =>
    (await podsWith(target, "metallb-system", "component=announcer")).flatMap((pod) =>
      pod.node === node ? [pod.name] : [],
    );
  const announcer = await announcerThere();
  expect(announcer).toHaveLength(1);
  const cell = { isDone: false };
  const drain = target
    .tryKubectl(["drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=240s"])
    .finally(() => {
      cell.isDone = true;
    });
  try {
    const given: string[] = [];
    // Bounded by the pool and by what the drain may take.
    while (!cell.isDone && given.length < 500)
      given.push(
        (await someone.apply(`s-${String(given.length)}`, { annotations: wish.pool("drained/drained") })).address,
      );
    const { code, stderr } = await drain;
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(given.length).toBeGreaterThan(5);
    expect(given.filter((address) => address === "")).toEqual([]);
    expect(new Set(given).size).toBe(given.length);
    for (const pair of await pairs(target)) expect(pair.filter((pod) => pod.node === node)).toEqual([]);
    expect(await announcerThere()).toEqual(announcer);
  } finally {
    await target.kubectl(["uncordon", node]);
    await target.kubectl(["delete", "svc", "--all", "-n", "drained"]);
    await until("the pool to go", 60_000, 500, async () => {
      const { code } = await target.tryKubectl(["delete", "ipaddresspool", "drained", "-n", "drained"]);
      return code === 0 ? true : undefined;
    });
    await target.kubectl(["delete", "namespace", "drained"]);
    await rolledOut(target);
  }
});
