/** BGPPeer in its two versions, which the API server itself converts: nothing is lost on the way, and nothing stored is refused. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pick, pickText } from "../../hack/src/lab/json.ts";
import { root, type Target } from "../../hack/src/target.ts";
import { lab } from "./lab.ts";

type Version = "v1beta1" | "v1beta2";

const cell: { target?: Target } = {};
const target = (): Target => cell.target ?? expect.fail();
const inNamespace = ["-n", "metallb-system"];

const peer = (version: Version, name: string, spec: object): string =>
  JSON.stringify({
    apiVersion: `metallb.io/${version}`,
    kind: "BGPPeer",
    metadata: { name, namespace: "metallb-system" },
    spec,
  });
const apply = (object: string) => target().tryKubectl(["apply", "-f", "-"], object);
const specIn = async (version: Version, name: string): Promise<unknown> =>
  pick(await target().json(["get", `bgppeers.${version}.metallb.io`, name, ...inNamespace]), "spec");

const byHostname = { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-1"] }] };
const OLD = {
  myASN: 64512,
  peerASN: 64513,
  peerAddress: "172.30.0.250",
  sourceAddress: "172.30.0.11",
  peerPort: 1179,
  holdTime: "1m30s",
  keepaliveTime: "30s",
  routerID: "10.0.0.1",
  nodeSelectors: [{ matchLabels: { "kubernetes.io/os": "linux" }, ...byHostname }],
  password: "secret",
  bfdProfile: "fast",
  ebgpMultiHop: true,
};
/** What v1beta2 alone knows in MetalLB. */
const NEW = {
  localASN: 64514,
  connectTime: "10s",
  enableGracefulRestart: true,
  vrf: "red",
  dualStackAddressFamily: true,
  disableMP: true,
};
const DEFAULTS = { dualStackAddressFamily: false, disableMP: false };
const oldWithout = (field: keyof typeof OLD): object =>
  Object.fromEntries(Object.entries(OLD).filter(([name]) => name !== field));
const PEERS: Readonly<Record<string, { readonly version: Version; readonly spec: object }>> = {
  old: { version: "v1beta1", spec: OLD },
  "from-port-0": { version: "v1beta1", spec: { myASN: 64512, peerASN: 64513, peerAddress: "fd00::1", peerPort: 0 } },
  whole: { version: "v1beta2", spec: { ...oldWithout("password"), ...NEW, passwordSecret: { name: "tor" } } },
  unnumbered: { version: "v1beta2", spec: { myASN: 64512, dynamicASN: "external", interface: "lan0", peerPort: 179 } },
  anywhere: {
    version: "v1beta2",
    spec: { ...OLD, nodeSelectors: [{ matchExpressions: [{ key: "gpu", operator: "Exists" }] }] },
  },
};
const names = Object.keys(PEERS);

beforeAll(async () => {
  cell.target = await lab();
  for (const [name, { version, spec }] of Object.entries(PEERS))
    expect(await apply(peer(version, name, spec))).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await target().kubectl(["delete", "bgppeers", "--all", ...inNamespace]);
});

const written = (name: string): object => ({ ...DEFAULTS, ...PEERS[name]?.spec });

test.each(names)("peer %s has every field in both versions", async (name) => {
  expect(await specIn("v1beta2", name)).toEqual(written(name));
  expect(await specIn("v1beta1", name)).toEqual(written(name));
});

test.each(names)("peer %s can be changed in both versions, and loses nothing", async (name) => {
  for (const version of ["v1beta1", "v1beta2"]) {
    const label = ["label", `bgppeers.${version}.metallb.io`, name, ...inNamespace, "--overwrite", `by=${version}`];
    expect(await target().tryKubectl(label)).toMatchObject({ code: 0 });
    expect(await specIn("v1beta2", name)).toEqual(written(name));
  }
});

test("who writes the old version is told so, beside what is said of BGP", async () => {
  const { stderr } = await apply(peer("v1beta1", "newcomer", OLD));
  expect(stderr).toContain("Warning: metallb.io/v1beta1 BGPPeer is deprecated");
  expect(stderr).toContain('Warning: BGPPeer "metallb-system/newcomer" is accepted, but Berth does not speak BGP yet');
});

test.each<{ what: string; version: Version; spec: object; says: string }>([
  {
    what: "no AS number of the peer",
    version: "v1beta1",
    spec: oldWithout("peerASN"),
    says: "spec.peerASN: Required value",
  },
  { what: "no address", version: "v1beta1", spec: oldWithout("peerAddress"), says: "spec.peerAddress: Required value" },
  { what: "port 0", version: "v1beta2", spec: { ...OLD, peerPort: 0 }, says: "spec.peerPort" },
  { what: "no time to connect", version: "v1beta2", spec: { ...OLD, connectTime: "0s" }, says: "from 1s to 65535s" },
  { what: "half a second", version: "v1beta2", spec: { ...OLD, connectTime: "1500ms" }, says: "whole seconds" },
  { what: "an unknown dynamicASN", version: "v1beta2", spec: { ...OLD, dynamicASN: "any" }, says: "spec.dynamicASN" },
])("a peer with $what is refused by the schema of $version, as by MetalLB's", async ({ version, spec, says }) => {
  const { code, stderr } = await apply(peer(version, "wrong", spec));
  expect([code, stderr]).toEqual([1, expect.stringContaining(says)]);
});

test("the kind is applied beside the conversion that a cluster of MetalLB's has, and leaves it there", async () => {
  const { kubectl } = target();
  const crd = ["crd", "bgppeers.metallb.io"];
  const convertBy = (conversion: object) =>
    kubectl([
      "patch",
      ...crd,
      "--type=json",
      "-p",
      JSON.stringify([{ op: "replace", path: "/spec/conversion", value: conversion }]),
    ]);
  const service = { namespace: "metallb-system", name: "metallb-webhook-service", path: "/convert" };
  const conversionReviewVersions = ["v1beta1", "v1beta2"];
  await convertBy({ strategy: "Webhook", webhook: { clientConfig: { service }, conversionReviewVersions } });
  try {
    const file = ["-f", join(root, "manifests/crds/bgppeers.yaml")];
    await kubectl(["apply", "--server-side", "--force-conflicts", "--field-manager=berth-operator", ...file]);
    await kubectl(["apply", ...file]);
    expect(pickText(await target().json(["get", ...crd]), "spec", "conversion", "strategy")).toBe("Webhook");
  } finally {
    await convertBy({ strategy: "None" });
  }
});

test("graceful restart stays as it was chosen", async () => {
  const patch = ["patch", "bgppeer", "whole", ...inNamespace, "--type=merge", "-p"];
  const { code, stderr } = await target().tryKubectl([...patch, '{"spec":{"enableGracefulRestart":false}}']);
  expect([code, stderr]).toEqual([1, expect.stringContaining("enableGracefulRestart")]);
});

test("a BGPAdvertisement for some Services announces single addresses only", async () => {
  const spec = { serviceSelectors: [{ matchLabels: { app: "web" } }], aggregationLength: 24 };
  const metadata = { name: "wide", namespace: "metallb-system" };
  const object = { apiVersion: "metallb.io/v1beta1", kind: "BGPAdvertisement", metadata, spec };
  const { code, stderr } = await apply(JSON.stringify(object));
  expect([code, stderr]).toEqual([1, expect.stringContaining("aggregationLength 32")]);
});
