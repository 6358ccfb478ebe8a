/** The three ways in, object by object: what one of them lacks or has otherwise is listed here, or the test fails. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, test } from "vitest";
import { manifests as broughtByOperator } from "../../../cluster/generated/manifests.ts";
import { BUILT, buildInstallation } from "../../../hack/src/build.ts";
import { cacheFolder } from "../../../hack/src/cache.ts";
import { helmBinary } from "../../../hack/src/helm.ts";
import { buildModule } from "../../../hack/src/install/module.ts";
import { nameOf, parseObjects, toJson, type JsonObject } from "../../../hack/src/install/object.ts";
import { peprObjects } from "../../../hack/src/install/pepr-objects.ts";
import { references } from "../../../hack/src/images.ts";
import { kubernetesBinaries } from "../../../hack/src/lab/binaries.ts";
import { attempt, run } from "../../../hack/src/shell.ts";
import { root } from "../../../hack/src/target.ts";
import { differences } from "./differences.ts";

/** Where Go has to build kubectl and Helm first, this takes minutes. */
const BUILD_MILLIS = 1_200_000;
const chart = join(root, BUILT.chart);

type Ways = Readonly<Record<"pepr" | "kustomize" | "rendered" | "helm", ReadonlyMap<string, JsonObject>>>;
const cell: { ways?: Ways; helm?: string } = {};

const byName = (objects: readonly JsonObject[]): ReadonlyMap<string, JsonObject> =>
  new Map(objects.map((object) => [nameOf(object), object]));

beforeAll(async () => {
  await buildInstallation();
  const { kubectl } = await kubernetesBinaries(cacheFolder());
  const helm = await helmBinary();
  const built = await buildModule();
  const deployed = [...(await peprObjects(built, references.operator)), ...broughtByOperator.map(toJson)];
  const helmed = await run(helm, ["template", "berth", chart, "--include-crds"]);
  cell.helm = helm;
  cell.ways = {
    pepr: byName(deployed),
    kustomize: byName(parseObjects(await run(kubectl, ["kustomize", join(root, "manifests")]))),
    rendered: byName(parseObjects(readFileSync(join(root, BUILT.rendered), "utf8"))),
    helm: byName(parseObjects(helmed)),
  };
}, BUILD_MILLIS);

const ways = (): Ways => cell.ways ?? expect.fail();
const helm = (): string => cell.helm ?? expect.fail();

/** Room for all annotations of an object, one of which is the whole object as `kubectl apply` was given it. */
const ANNOTATIONS_BYTES = 256 * 1_024;

test("each object is small enough for kubectl apply", () => {
  const sizes = [...ways().rendered.values()].map((object) => JSON.stringify(object).length);
  expect(Math.max(...sizes)).toBeLessThan(ANNOTATIONS_BYTES - 4_096);
});

describe("the ways in bring the same objects", () => {
  it("by kubectl apply -k and by the rendered file", () => {
    expect(differences(ways().kustomize, ways().rendered)).toEqual([]);
  });

  it("by kubectl apply -k and by Helm", () => {
    expect(differences(ways().kustomize, ways().helm)).toEqual([]);
  });

  it("by pepr deploy, but for what no file can hold and for what the operator does to it afterwards", () => {
    const both = [
      { name: "pepr-berth", container: "server", mounts: ["api-path", "tls-certs"] },
      { name: "pepr-berth-watcher", container: "watcher", mounts: ["tls-certs"] },
    ];
    const expected = both.flatMap(({ name, container, mounts }) => {
      const spec = `Deployment pepr-system/${name} spec.template.spec`;
      return [
        // Pepr stamps its pods with the time of the deploy, and mounts Secrets that it makes itself.
        `Deployment pepr-system/${name} spec.template.metadata.annotations`,
        ...mounts.map((mount) => `${spec}.containers.${container}.volumeMounts.${mount}`),
        ...mounts.map((mount) => `${spec}.volumes.${mount}`),
        `${spec}.containers.${container}.env.BERTH_INSTALLED_BY`,
        // cluster/pods.ts
        `${spec}.affinity`,
        `${spec}.enableServiceLinks`,
        `${spec}.securityContext.seccompProfile`,
        `${spec}.tolerations`,
        ...["lifecycle", "livenessProbe.failureThreshold", "livenessProbe.timeoutSeconds"].map(
          (field) => `${spec}.containers.${container}.${field}`,
        ),
        ...["readinessProbe.periodSeconds", "readinessProbe.timeoutSeconds", "startupProbe"].map(
          (field) => `${spec}.containers.${container}.${field}`,
        ),
      ];
    });
    const webhooks = ["Mutating", "Validating"].flatMap((kind) =>
      // cluster/webhooks.ts
      ["pepr-berth.pepr.dev.clientConfig.caBundle", "pepr-berth.pepr.dev.matchConditions", "services.berth.dev"].map(
        (place) => `${kind}WebhookConfiguration pepr-berth webhooks.${place}`,
      ),
    );
    expect(differences(ways().pepr, ways().kustomize)).toEqual(
      [
        ...expected,
        ...webhooks,
        "Deployment pepr-system/pepr-berth-watcher spec.replicas",
        "Deployment pepr-system/pepr-berth-watcher spec.template.spec.priorityClassName",
        "ValidatingWebhookConfiguration pepr-berth webhooks.bgp.berth.dev",
        "ValidatingWebhookConfiguration pepr-berth webhooks.configuration.berth.dev",
      ].toSorted(),
    );
  });

  it("none of which holds a key, or anything else that is secret", () => {
    for (const way of [ways().kustomize, ways().rendered, ways().helm]) {
      const secrets = [...way.values()].filter(({ kind }) => kind === "Secret").map(nameOf);
      expect(secrets).toEqual(["Secret pepr-system/pepr-berth-module"]);
      expect(JSON.stringify([...way.values()])).not.toMatch(/PRIVATE KEY|caBundle/);
    }
  });
});

describe("the Helm chart", () => {
  /** What `helm template` prints, without what changes with each change of the code. */
  async function template(...args: readonly string[]): Promise<string> {
    const text = await run(helm(), ["template", "berth", chart, ...args]);
    return text.replaceAll(/[0-9a-f]{64}/g, "HASH").replace(/(HASH\.js\.gz: ).*/, "$1CODE");
  }
  const values = join(import.meta.dirname, "all-values.yaml");

  it("has no fault that helm lint finds, also with every value set", async () => {
    for (const args of [[], ["--values", values]]) {
      expect(await run(helm(), ["lint", "--strict", chart, ...args])).toContain("0 chart(s) failed");
    }
  });

  it("gives what the golden file says with its own values", async () => {
    await expect(await template()).toMatchFileSnapshot("chart-defaults.golden");
  });

  it("gives what the golden file says with every value set", async () => {
    await expect(await template("--values", values)).toMatchFileSnapshot("chart-all-values.golden");
  });

  it("leaves the namespace to Helm where the release is kept in it", async () => {
    expect(await template("--namespace", "pepr-system")).not.toMatch(
      /kind: Namespace\nmetadata:\n {2}name: pepr-system/,
    );
  });

  it("refuses a cluster that is too old", async () => {
    const { code, stderr } = await attempt(helm(), ["template", "berth", chart, "--kube-version", "1.32.5"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("requires kubeVersion: >=1.33.0-0")]);
  });

  test.each([
    ["watcher.replicas=0", "watcher/replicas"],
    ["watcher.replicas=two", "watcher/replicas"],
    ["settings.exhaustion=panic", "settings/exhaustion"],
    ["settings.loadBalancerClass=berth", "settings/loadBalancerClass"],
    ["operator.image.pullPolicy=Sometimes", "operator/image/pullPolicy"],
    ["announcer.image.repository=", "announcer/image/repository"],
    ["announcer.tolerations=all", "announcer/tolerations"],
    ["operator.replicas=3", "replicas"],
    ["replicas=3", "replicas"],
  ])("refuses %s by name", async (value, place) => {
    const { code, stderr } = await attempt(helm(), ["template", "berth", chart, "--set", value]);
    expect(code).toBe(1);
    expect(stderr).toContain(place);
  });
});
