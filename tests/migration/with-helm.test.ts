/**
 * docs/migrate-from-metallb-with-helm.md, followed to its end and back on a cluster that MetalLB's own chart has set up. After
 * the manifests' page, on the same lab.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUILT } from "../../hack/src/build.ts";
import { helmBinary } from "../../hack/src/helm.ts";
import { nameOf, parseObjects, type JsonObject } from "../../hack/src/install/object.ts";
import { WEB_IMAGE } from "../../hack/src/lab/images.ts";
import { pickText } from "../../hack/src/lab/json.ts";
import { awaitCalm } from "../../hack/src/product.ts";
import { attempt, run, until } from "../../hack/src/shell.ts";
import { root, type Target } from "../../hack/src/target.ts";
import { lab } from "../e2e/lab.ts";
import { seenDuring } from "./client.ts";
import { announcedOf, expectShort } from "./looks.ts";
import { addressesOf, announcingNodes, installMetallb, takeMetallbAway } from "./metallb.ts";
import { pages, Reader } from "./page.ts";

/** `pepr deploy` checks the whole checkout before it does anything. */
const PATIENCE_MILLIS = 1_200_000;
const NAMESPACE = "helmed";
const SERVICES = [`${NAMESPACE}/pinned`, `${NAMESPACE}/plain`];
const ADDRESSES = ["192.168.1.205", "192.168.1.200"];

const app = { app: "web" };
const service = (name: string, annotations = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: NAMESPACE, name, annotations },
  spec: { type: "LoadBalancer", selector: app, ports: [{ port: 80, targetPort: 8080 }] },
});
const own = (kind: string, spec: object, version = "v1beta1") => ({
  apiVersion: `metallb.io/${version}`,
  kind,
  metadata: { namespace: "metallb-system", name: "home" },
  spec,
});
/** What people write before the Services, and the Services one after the other, so that their addresses are certain. */
const WRITTEN = [
  own("IPAddressPool", { addresses: ["192.168.1.200-192.168.1.220"] }),
  own("L2Advertisement", { ipAddressPools: ["home"] }),
  own("BGPPeer", { myASN: 64_512, peerASN: 64_513, peerAddress: "172.30.0.250" }, "v1beta2"),
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: NAMESPACE, name: "web" },
    spec: {
      replicas: 2,
      selector: { matchLabels: app },
      template: { metadata: { labels: app }, spec: { containers: [{ name: "web", image: WEB_IMAGE }] } },
    },
  },
  service("pinned", { "metallb.io/loadBalancerIPs": ADDRESSES[0] }),
  service("plain"),
];

type Before = {
  readonly target: Target;
  readonly home: string;
  readonly reader: Reader;
  readonly chart: string;
  readonly specs: Record<string, unknown>;
};
const cell: { before?: Before } = {};
const before = (): Before => cell.before!;
const probed = ADDRESSES.map((address) => `${address}:80`);

/** The specs of the pools, advertisements and peers, by kind. */
const written = async ({ json }: Target): Promise<Record<string, unknown>> => {
  const { items } = (await json(["get", "ipaddresspools,l2advertisements,bgppeers", "-A"])) as {
    items: { kind: string; spec: unknown }[];
  };
  return Object.fromEntries(items.map(({ kind, spec }) => [kind, spec]));
};

beforeAll(async () => {
  const target = await lab();
  const { kubectl } = target;
  // What the manifests' page has left: Services first, so that their addresses are free.
  for (const key of Object.keys(await addressesOf(target))) {
    const [namespace = "", name = ""] = key.split("/");
    await kubectl(["delete", "svc", "-n", namespace, name]);
  }
  for (const namespace of ["apps", "others"]) await kubectl(["delete", "namespace", namespace, "--ignore-not-found"]);
  await takeMetallbAway(target);
  const home = mkdtempSync(join(tmpdir(), "berth-migration-"));
  mkdirSync(join(home, "metallb"));
  const chart = await installMetallb(target);
  await kubectl(["create", "namespace", NAMESPACE]);
  for (const object of WRITTEN) {
    await until(`MetalLB to accept ${object.kind}`, 120_000, 1_000, async () => {
      const { code } = await target.tryKubectl(["apply", "-f", "-"], JSON.stringify(object));
      return code === 0 ? true : undefined;
    });
  }
  await until("MetalLB to announce them", 60_000, 500, async () => {
    const found = await announcingNodes(target);
    return SERVICES.every((key) => found[key]?.length === 1) ? true : undefined;
  });
  await kubectl(["rollout", "status", "deployment/web", "-n", NAMESPACE, "--timeout=60s"]);
  const reader = await Reader.of(pages.fromChart, target, home);
  cell.before = { target, home, reader, chart, specs: await written(target) };
}, 900_000);

afterAll(() => {
  if (cell.before !== undefined) rmSync(cell.before.home, { recursive: true, force: true });
});

const given = Object.fromEntries(SERVICES.map((key, index) => [key, ADDRESSES[index]]));

test("the cluster is one of MetalLB's chart", async () => {
  expect(await addressesOf(before().target)).toEqual(given);
  expect(Object.keys(before().specs).toSorted()).toEqual(["BGPPeer", "IPAddressPool", "L2Advertisement"]);
});

describe("over to Berth", () => {
  test("clients are never without an address for two seconds", { timeout: PATIENCE_MILLIS }, async () => {
    const { target, reader } = before();
    const seen = await seenDuring(target, probed, async () => {
      await reader.follow("Keep what there is");
      await reader.follow("Stop MetalLB's controller");
      await reader.follow("Bring Berth");
      await expect.poll(() => announcedOf(target, SERVICES), { timeout: 60_000 }).toEqual(SERVICES);
      expect(await reader.follow("Look before you go on")).toContain("every Service has the address it had");
      await reader.follow("Stop the speakers");
      const speakers = ["-l", "app.kubernetes.io/component=speaker"];
      await target.kubectl(["wait", "pod", "-n", "metallb-system", ...speakers, "--for=delete"]);
      await reader.follow("Clear up");
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    });
    expectShort(seen, ADDRESSES.length);
    await awaitCalm(target);
  });

  test("addresses and objects are as they were, and of the chart there is nothing left but the kinds", async () => {
    const { target, specs } = before();
    expect(await addressesOf(target)).toEqual(given);
    expect(await written(target)).toEqual(specs);
    const kinds = [
      "deployments,daemonsets,pods,services,secrets,configmaps,serviceaccounts,roles,rolebindings",
      "clusterroles,clusterrolebindings,validatingwebhookconfigurations",
    ];
    const left = async () => {
      const names = await Promise.all(kinds.map((list) => target.kubectl(["get", list, "-A", "-o", "name"])));
      return names
        .join("\n")
        .split("\n")
        .filter((name) => /metallb|speaker|memberlist|frr/.test(name));
    };
    await expect.poll(left, { timeout: 60_000, interval: 1_000 }).toEqual([]);
  });

  test("Berth's own chart is refused, as the page says, since the namespace is there", async () => {
    const chart = ["install", "berth", join(root, BUILT.chart), "--kubeconfig", before().target.kubeconfig];
    const { code, stderr } = await attempt(await helmBinary(), [...chart, "--dry-run=server"], {});
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/Namespace "metallb-system" .* exists and cannot be imported/),
    ]);
  });
});

test("what clears up covers every object of the chart as it comes, FRR-K8s included, but the kinds and their objects", async () => {
  const { chart } = before();
  const rendered = await run(await helmBinary(), ["template", "metallb", chart, "-n", "metallb-system"]);
  const objects = parseObjects(rendered).filter((object) => pickText(object, "kind") !== "CustomResourceDefinition");
  expect(objects.length).toBeGreaterThan(25);
  const sections = ["Stop MetalLB's controller", "Stop the speakers", "Clear up"];
  const commands = sections.flatMap((heading) => pages.fromChart.section(heading).split("\n"));
  const kinds = commands.flatMap((line) => (line.includes(" -l ") ? (line.split(" ")[2] ?? "").split(",") : []));
  const isCovered = (object: JsonObject): boolean => {
    const isOfRelease = pickText(object, "metadata", "labels", "app.kubernetes.io/instance") === "metallb";
    const isByLabel = isOfRelease && kinds.includes(pickText(object, "kind").toLowerCase());
    return isByLabel || commands.some((line) => line.includes(pickText(object, "metadata", "name")));
  };
  expect(objects.filter((object) => !isCovered(object)).map(nameOf)).toEqual([]);
});

test("interfaces that MetalLB's ConfigMap excluded are excluded by the page's command", async () => {
  const { target } = before();
  const { kubectl } = target;
  const command = pages.fromManifests.calls.find((call) => call.startsWith("kubectl patch daemonset announcer "));
  const patch =
    /-p '(.*)'$/.exec(command ?? "")?.[1]?.replace("…", "^lan0$") ?? expect.fail("the page has no such command");
  const daemonSet = ["daemonset", "announcer", "-n", "metallb-system"];
  await kubectl(["patch", ...daemonSet, "--type=json", "-p", patch]);
  await kubectl(["rollout", "status", ...daemonSet, "--timeout=180s"]);
  const interfaces = async () =>
    kubectl([
      ...["get", "svc", "plain", "-n", NAMESPACE],
      ...["-o", 'jsonpath={.status.conditions[?(@.type=="berth.dev/Announced")].message}'],
    ]);
  await expect.poll(interfaces, { timeout: 60_000 }).not.toContain("lan0");
  await kubectl([
    "patch",
    ...daemonSet,
    "--type=json",
    "-p",
    '[{"op":"remove","path":"/spec/template/spec/containers/0/args"}]',
  ]);
  await kubectl(["rollout", "status", ...daemonSet, "--timeout=180s"]);
  await expect.poll(interfaces, { timeout: 60_000 }).toContain("lan0");
});

describe("back to MetalLB", () => {
  test("clients are never without an address for two seconds", { timeout: PATIENCE_MILLIS }, async () => {
    const { target, reader, chart } = before();
    const seen = await seenDuring(target, probed, async () => {
      await reader.follow("The way back", { "metallb/metallb": chart });
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    });
    expectShort(seen, ADDRESSES.length);
  });

  test("every Service and every object is as it was, and MetalLB checks changes again", async () => {
    const { target, specs } = before();
    expect(await addressesOf(target)).toEqual(given);
    expect(await written(target)).toEqual(specs);
    const wrong = JSON.stringify(own("IPAddressPool", { addresses: ["nonsense"] }));
    const { stderr } = await target.tryKubectl(["apply", "-f", "-"], wrong);
    expect(stderr).toContain("ipaddresspoolvalidationwebhook.metallb.io");
    expect(await target.kubectl(["get", "deployments,daemonsets", "-A", "-o", "name"])).not.toMatch(/berth|announcer/);
  });

  test("every command of the page was typed", () => {
    expect(pages.fromChart.untried()).toEqual([]);
  });
});
