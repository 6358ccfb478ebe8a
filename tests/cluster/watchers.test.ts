import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import type { ApiObject, Kind } from "../../cluster/kinds.ts";
import { keepPods, setPods, wantedWatchers } from "../../cluster/watchers.ts";
import { MemoryStore, type Hook } from "../support/memory-api.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";

type Fields = { manager: string; operation: string; subresource?: string; fieldsV1?: object };
type Deployment = ApiObject & {
  metadata?: { generation?: number; managedFields?: readonly Fields[] };
  spec?: { replicas?: number; template?: { spec?: { tolerations?: unknown; containers?: readonly object[] } } };
};
const deployments: Kind<Deployment> = { group: "apps", version: "v1", kind: "Deployment", plural: "deployments" };
const ADMISSION = "pepr-berth";
const key = { namespace: "pepr-system", name: `${ADMISSION}-watcher` };

const ends: AbortController[] = [];
beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  for (const end of ends.splice(0)) end.abort();
  resumeTime();
});

const owning = (manager: string, operation: string, fields: object = { "f:replicas": {} }): Fields => ({
  manager,
  operation,
  fieldsV1: { "f:spec": fields },
});

/** The Deployment after a watcher has led for a while, beginning with what is stored. */
async function kept(replicas: number, managedFields: readonly Fields[], wanted = 2) {
  const store = new MemoryStore();
  store.seed(deployments, {
    metadata: { ...key, managedFields },
    spec: { replicas, template: { spec: { containers: [{ name: "watcher", image: "berth" }] } } },
  });
  const end = new AbortController();
  ends.push(end);
  await keepPods(store.client(), ADMISSION, wanted)(end.signal);
  await pass(10);
  return { store, end, now: () => store.get(deployments, key) };
}

describe("the number of watchers", () => {
  it("is raised where Pepr has set it", async () => {
    const { now } = await kept(1, [owning("pepr", "Apply")]);
    expect(now()?.spec?.replicas).toBe(2);
  });

  it("is what the setting says", async () => {
    const { now } = await kept(1, [owning("pepr", "Apply")], 1);
    expect(now()?.spec?.replicas).toBe(1);
  });

  it.each([
    ["a person has set it", 1, owning("kubectl", "Update")],
    ["a person has stopped them", 0, owning("kubectl", "Update")],
    ["it is nobody's", 3, owning("pepr", "Apply", { "f:template": {} })],
  ])("is left alone where %s", async (_, replicas, fields) => {
    const { now } = await kept(replicas, [fields]);
    expect(now()?.spec?.replicas).toBe(replicas);
    expect(now()?.metadata?.managedFields).toEqual([fields]);
  });

  it("is made nobody's, so that Pepr's next apply is not refused, and other fields stay whose they are", async () => {
    const template = owning("berth-operator", "Apply", { "f:template": {} });
    const pepr = owning("pepr", "Apply", { "f:template": {} });
    const { now } = await kept(2, [pepr, template, owning("berth-operator", "Update")]);
    expect(now()?.metadata?.managedFields).toEqual([pepr, template]);
    expect(now()?.spec?.replicas).toBe(2);
  });

  it("is raised again within half a minute of Pepr's next apply, by a watcher that leads", async () => {
    const { store, now, end } = await kept(2, [owning("kubectl", "Update")]);
    const peprs = { metadata: { managedFields: [owning("pepr", "Apply")] }, spec: { replicas: 1 } };
    store.edit(deployments, key, peprs);
    await pass(30_000);
    expect(now()?.spec?.replicas).toBe(2);
    end.abort();
    store.edit(deployments, key, peprs);
    await pass(120_000);
    expect(now()?.spec?.replicas).toBe(1);
  });
});

it("pods leave a node that has gone after 15 s", async () => {
  const { now } = await kept(1, [owning("pepr", "Apply")]);
  expect(now()?.spec?.template?.spec?.tolerations).toMatchObject([
    { key: "node.kubernetes.io/not-ready", tolerationSeconds: 15 },
    { key: "node.kubernetes.io/unreachable", tolerationSeconds: 15 },
  ]);
});

it("admission pods have as much time to start and to answer, and keep the class that Pepr gives them", async () => {
  const store = new MemoryStore();
  const admission = { namespace: "pepr-system", name: ADMISSION };
  store.seed(deployments, { metadata: admission, spec: { replicas: 2 } });
  expect(await setPods(store.client(), ADMISSION, 2)).toBe(false);
  const pod = store.get(deployments, admission)?.spec?.template?.spec;
  expect(pod).toMatchObject({
    securityContext: { seccompProfile: { type: "RuntimeDefault" } },
    containers: [{ name: "server", startupProbe: { periodSeconds: 2, failureThreshold: 150 } }],
  });
  expect(pod).not.toHaveProperty("priorityClassName");
});

it.each([
  { what: "as long as Pepr has not made them so", generation: 2, isReplaced: true },
  { what: "not where they are so already, as after each later deploy", generation: 1, isReplaced: false },
])("pods are replaced $what", async ({ generation, isReplaced }) => {
  const store = new MemoryStore();
  const managedFields = [owning("pepr", "Apply")];
  store.seed(deployments, { metadata: { ...key, generation: 1, managedFields }, spec: { replicas: 1 } });
  // The store does not count generations.
  const hook: Hook = async (call, run) => {
    if (call.verb === "apply") store.edit(deployments, key, { metadata: { generation } });
    return run();
  };
  expect(await setPods(store.client({ hook }), ADMISSION, 2)).toBe(isReplaced);
  expect(await setPods(store.client(), ADMISSION, 2)).toBe(false);
});

it("nothing is written where there is no Deployment, as with pepr dev", async () => {
  const store = new MemoryStore();
  const before = store.resourceVersion;
  const end = new AbortController();
  ends.push(end);
  await keepPods(store.client(), ADMISSION, 2)(end.signal);
  await pass(120_000);
  expect(store.resourceVersion).toBe(before);
});

test.each([
  [undefined, 2],
  ["", 2],
  ["1", 1],
  ["3", 3],
  ["0", 2],
  ["many", 2],
])("BERTH_WATCHERS=%s asks for %i", (text, count) => {
  expect(wantedWatchers(text === undefined ? {} : { BERTH_WATCHERS: text })).toBe(count);
});
