/** MetalLB itself on a lab: its own manifests, its own programs, and what its users have written over the years. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { helmBinary } from "../../hack/src/helm.ts";
import { pickList, pickText } from "../../hack/src/lab/json.ts";
import { awaitMetallb, manifestOf, METALLB_NAMESPACE, metallbObjects } from "../../hack/src/metallb.ts";
import { METALLB, moduleFolder, neighbourImages } from "../../hack/src/neighbours.ts";
import { run, until } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";

const here = import.meta.dirname;

/** Files that a person has, and tests apply. */
export const files = {
  objects: join(here, "objects.yaml"),
  oldPeer: join(here, "old-peer.yaml"),
  services: join(here, "services.yaml"),
} as const;

type Json = Record<string, unknown>;

/** The objects of a YAML file. */
export const objectsIn = (file: string): readonly Json[] =>
  parseAllDocuments(readFileSync(file, "utf8")).flatMap((document) => {
    const value = document.toJS() as Json | null;
    return value === null ? [] : [value];
  });

/**
 * Upstream's manifest. FRR's validation is chosen, since the native one refuses most fields of
 * BGPPeers; FRR itself is not there, so its configuration is written for nobody.
 */
async function manifest(): Promise<string> {
  const items = await metallbObjects();
  for (const item of items) if (item["kind"] === "Deployment" || item["kind"] === "DaemonSet") speakFrr(item);
  return manifestOf(items);
}

function speakFrr(workload: Json): void {
  const pod = (workload["spec"] as { template: { spec: { containers: Json[]; volumes: Json[] } } }).template.spec;
  const [container] = pod.containers as { env: Json[]; volumeMounts: Json[] }[];
  container!.env.push(
    { name: "METALLB_BGP_TYPE", value: "frr" },
    { name: "FRR_CONFIG_FILE", value: "/etc/frr_reloader/frr.conf" },
  );
  container!.volumeMounts.push({ name: "reloader", mountPath: "/etc/frr_reloader" });
  pod.volumes.push({ name: "reloader", emptyDir: {} });
}

/** Brings MetalLB up, with a BGPPeer that is stored in the version before, and leaves its manifest in the folder. */
export async function bringMetallb(target: Target, folder: string): Promise<void> {
  const { kubectl } = target;
  const file = join(folder, "metallb-native.yaml");
  writeFileSync(file, await manifest());
  await kubectl(["create", "namespace", METALLB_NAMESPACE]);
  await storeOldPeer(target);
  await kubectl(["apply", "-f", file]);
  await awaitMetallb(target);
  await until("MetalLB's webhooks", 120_000, 2_000, async () => {
    const { code } = await target.tryKubectl(["apply", "--dry-run=server", "-f", files.objects]);
    return code === 0 ? true : undefined;
  });
}

/** Takes MetalLB's manifests away again, and what people have written; its Services have gone. */
export async function takeMetallbAway({ kubectl }: Target): Promise<void> {
  await kubectl(["delete", "--ignore-not-found", "-f", "-"], await manifest());
}

/** Brings MetalLB up by its own chart, without BGP's daemons, whose images are not here; gives the chart's folder. */
export async function installMetallb({ kubectl, kubeconfig }: Target): Promise<string> {
  const chart = join(await moduleFolder(METALLB), "charts/metallb");
  const set = (await neighbourImages(METALLB)).flatMap(({ reference }, index) => {
    const [name, [repository, tag]] = [["controller", "speaker"][index]!, reference.split(":")];
    return [`${name}.image.repository=${repository!}`, `${name}.image.tag=${tag!}`];
  });
  const values = [...set, "frrk8s.enabled=false", "speaker.frr.enabled=false"].flatMap((value) => ["--set", value]);
  const place = ["-n", "metallb-system", "--create-namespace", "--kubeconfig", kubeconfig];
  await run(await helmBinary(), ["install", "metallb", chart, ...place, ...values, "--wait", "--timeout", "4m"]);
  await kubectl(["rollout", "status", "daemonset/metallb-speaker", "-n", "metallb-system", "--timeout=240s"]);
  return chart;
}

/** As when MetalLB was of a version that stored v1beta1. */
async function storeOldPeer({ kubectl }: Target): Promise<void> {
  const crds = objectsIn(join(await moduleFolder(METALLB), "config/crd/bases/metallb.io_bgppeers.yaml"));
  const [crd] = crds as { spec: { conversion?: object; versions: { name: string; storage: boolean }[] } }[];
  for (const version of crd!.spec.versions) version.storage = version.name === "v1beta1";
  crd!.spec.conversion = { strategy: "None" };
  await kubectl(["apply", "-f", "-"], JSON.stringify(crd));
  await kubectl(["wait", "crd/bgppeers.metallb.io", "--for=condition=Established", "--timeout=30s"]);
  await kubectl(["apply", "-f", files.oldPeer]);
}

/**
 * The spec of each object that people wrote, by kind and name; the API server's defaults included, but not the empty reference
 * that MetalLB's conversion puts into a peer without a password's Secret.
 */
export async function writtenSpecs({ json }: Target): Promise<Record<string, unknown>> {
  const answer = await json([
    "get",
    "ipaddresspools,l2advertisements,bgpadvertisements,bgppeers,bfdprofiles,communities",
    "-A",
  ]);
  return Object.fromEntries(
    pickList(answer, "items").map((item) => [
      `${pickText(item, "kind")} ${pickText(item, "metadata", "name")}`,
      withoutEmptyReference((item as { spec: Json }).spec),
    ]),
  );
}

const withoutEmptyReference = ({ passwordSecret, ...spec }: Json): Json =>
  JSON.stringify(passwordSecret ?? {}) === "{}" ? spec : { ...spec, passwordSecret };

/** The node of each Service that is announced, by its ServiceL2Status. */
export async function announcingNodes({ json }: Target): Promise<Record<string, readonly string[]>> {
  const items = pickList(await json(["get", "servicel2statuses", "-A"]), "items").map((item) => ({
    service: `${pickText(item, "status", "serviceNamespace")}/${pickText(item, "status", "serviceName")}`,
    node: pickText(item, "status", "node"),
  }));
  const groups = Map.groupBy(items, ({ service }) => service);
  return Object.fromEntries(
    [...groups].map(([service, all]) => [service, [...new Set(all.map(({ node }) => node))].toSorted()]),
  );
}

/** Each LoadBalancer's addresses as its status says. */
export async function addressesOf({ json }: Target): Promise<Record<string, string>> {
  const services = pickList(await json(["get", "svc", "-A"]), "items");
  const balanced = services.filter((service) => pickText(service, "spec", "type") === "LoadBalancer");
  return Object.fromEntries(
    balanced.map((service) => [
      `${pickText(service, "metadata", "namespace")}/${pickText(service, "metadata", "name")}`,
      pickList(service, "status", "loadBalancer", "ingress")
        .map((one) => pickText(one, "ip"))
        .join(),
    ]),
  );
}
