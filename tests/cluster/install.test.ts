import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { manifests } from "../../cluster/generated/manifests.ts";
import { ApiError } from "../../cluster/errors.ts";
import { install, keepWebhooksNarrow } from "../../cluster/install.ts";
import { kinds, type ApiObject, type Kind, type WebhookConfiguration } from "../../cluster/kinds.ts";
import { settleServing } from "../../cluster/serving.ts";
import { isNarrowed } from "../../cluster/webhooks.ts";
import { MemoryStore, type Hook } from "../support/memory-api.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";

const ends: AbortController[] = [];
beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  for (const end of ends.splice(0)) end.abort();
  vi.unstubAllEnvs();
  resumeTime();
});

/** Installs, with time enough for what it waits for; returns the objects applied in order. */
async function installed(store: MemoryStore): Promise<readonly string[]> {
  const applied: string[] = [];
  const hook: Hook = (call, run) => {
    if (call.verb === "apply") applied.push(call.key);
    return run();
  };
  const done = install(store.client({ hook }));
  await pass(120_000);
  await done;
  return applied;
}

type DaemonSet = ApiObject & {
  spec: { template: { spec: { containers: readonly { name: string; image: string }[] } } };
};
const daemonSets: Kind<DaemonSet> = { group: "apps", version: "v1", kind: "DaemonSet", plural: "daemonsets" };
const customResources: Kind<ApiObject> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
};
const imageIn = (store: MemoryStore): string | undefined =>
  store.get(daemonSets, { namespace: "metallb-system", name: "announcer" })?.spec.template.spec.containers[0]?.image;

describe("what the watcher brings along", () => {
  it("is applied in the order of the manifests, kinds and namespace before what needs them", async () => {
    const applied = await installed(new MemoryStore());
    expect(applied.filter((key) => key !== "metallb-system/announcer-hello")).toEqual(
      manifests.map(({ metadata: { namespace, name } }) => (namespace === undefined ? name : `${namespace}/${name}`)),
    );
    expect(manifests.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 8 }, () => "CustomResourceDefinition"),
      "ValidatingAdmissionPolicy",
      "ValidatingAdmissionPolicyBinding",
      "PodDisruptionBudget",
      "PodDisruptionBudget",
      "Namespace",
      "NetworkPolicy",
      "Namespace",
      "ServiceAccount",
      "Role",
      "RoleBinding",
      "DaemonSet",
    ]);
  });

  it("has the announcers' keys made before there are announcers", async () => {
    const store = new MemoryStore();
    await installed(store);
    const [secret] = store.all(kinds.secrets);
    const created = (object: ApiObject | undefined): number => Number(object?.metadata?.resourceVersion);
    expect(created(secret)).toBeLessThan(created(store.all(daemonSets)[0]));
  });

  it("has the announcer's image from the environment", async () => {
    vi.stubEnv("BERTH_ANNOUNCER_IMAGE", "registry.lan/announcer:1");
    const store = new MemoryStore();
    await installed(store);
    expect(imageIn(store)).toBe("registry.lan/announcer:1");
  });

  it("has the manifest's own image where the environment names none", async () => {
    vi.stubEnv("BERTH_ANNOUNCER_IMAGE", undefined);
    const store = new MemoryStore();
    await installed(store);
    expect(imageIn(store)).toMatch(/^berth\.dev\/announcer:\d/);
  });

  it("is left to kubectl or Helm where they have installed it, but for kinds and namespaces; the keys are made", async () => {
    vi.stubEnv("BERTH_INSTALLED_BY", "manifests");
    const store = new MemoryStore();
    const applied = await installed(store);
    const kept = manifests.filter(({ kind }) => ["CustomResourceDefinition", "Namespace"].includes(kind));
    expect(applied.toSorted()).toEqual(
      ["metallb-system/announcer-hello", ...kept.map(({ metadata: { name } }) => name)].toSorted(),
    );
  });

  it("is not written a second time", async () => {
    const store = new MemoryStore();
    await installed(store);
    const before = store.resourceVersion;
    await installed(store);
    expect(store.resourceVersion).toBe(before);
  });

  const refusing =
    (key: string): Hook =>
    (call, run) =>
      call.verb === "apply" && call.key === key
        ? Promise.reject(new ApiError("apply", 422, "Invalid", "status.storedVersions[0]: Invalid value"))
        : run();

  it("leaves a kind that Berth does not read as the cluster has it, where that can't be replaced", async () => {
    const store = new MemoryStore();
    const done = install(store.client({ hook: refusing("bgppeers.metallb.io") }));
    await pass(120_000);
    await done;
    const names = store.all(customResources).map(({ metadata }) => metadata?.name);
    expect(names).not.toContain("bgppeers.metallb.io");
    expect(names).toHaveLength(7);
    expect(imageIn(store)).toBeDefined();
  });

  it("is not there without a kind that Berth reads", async () => {
    const client = new MemoryStore().client({ hook: refusing("ipaddresspools.metallb.io") });
    await expect(install(client)).rejects.toThrow("storedVersions");
  });

  it("is not there while the API server is away, and the caller hears of it", async () => {
    const away: Hook = () => Promise.reject(new Error("connect ECONNREFUSED"));
    await expect(install(new MemoryStore().client({ hook: away }))).rejects.toThrow("ECONNREFUSED");
  });
});

describe("Pepr's webhook configurations", () => {
  const name = "pepr-berth";
  const written = {
    metadata: { name },
    webhooks: [
      {
        name: "pepr-berth.pepr.dev",
        admissionReviewVersions: ["v1"],
        clientConfig: { caBundle: "Q0E=" },
        failurePolicy: "Ignore",
        timeoutSeconds: 5,
        sideEffects: "None",
        rules: [
          { apiGroups: [""], resources: ["services"] },
          { apiGroups: ["metallb.io"], resources: ["ipaddresspools"] },
        ],
      },
    ],
  };
  const all: readonly Kind<WebhookConfiguration>[] = [kinds.mutatingWebhooks, kinds.validatingWebhooks];

  /** What the webhooks are served with, once there is a leader. */
  const cell: { serving?: Awaited<ReturnType<typeof settleServing>> } = {};
  async function kept(store: MemoryStore): Promise<void> {
    cell.serving = await settleServing(store.client(), "pepr-berth.pepr-system.svc");
    const end = new AbortController();
    ends.push(end);
    await keepWebhooksNarrow(store.client(), name, end.signal)(end.signal);
    await pass(100);
  }
  const areNarrow = (store: MemoryStore): readonly boolean[] =>
    all.map((kind) => isNarrowed(store.get(kind, { name }) ?? expect.fail(), cell.serving ?? expect.fail()));

  it("are narrowed at the start, and again when Pepr has written them anew", async () => {
    const store = new MemoryStore();
    for (const kind of all) store.seed(kind, written);
    await kept(store);
    expect(areNarrow(store)).toEqual([true, true]);
    for (const kind of all) store.edit(kind, { name }, { webhooks: written.webhooks });
    expect(areNarrow(store)).toEqual([false, false]);
    await pass(100);
    expect(areNarrow(store)).toEqual([true, true]);
  });

  it("are narrowed when they appear after the start", async () => {
    const store = new MemoryStore();
    await kept(store);
    for (const kind of all) store.seed(kind, written);
    await pass(100);
    expect(areNarrow(store)).toEqual([true, true]);
  });

  it("are not written while they are as they are to be, and those of others never", async () => {
    const store = new MemoryStore();
    for (const kind of all) store.seed(kind, written, { ...written, metadata: { name: "pepr-other" } });
    await kept(store);
    const others = store.get(kinds.validatingWebhooks, { name: "pepr-other" });
    const before = store.resourceVersion;
    await pass(60_000);
    expect(store.resourceVersion).toBe(before);
    expect(others?.webhooks).toEqual(written.webhooks);
  });
});
