/** MetalLB as its project publishes it, with programs that the lab builds from its source. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { METALLB, moduleFolder, neighbourImages } from "./neighbours.ts";
import type { Target } from "./target.ts";

/** An object of a manifest. */
export type Manifested = Record<string, unknown>;

/** The only namespace in which MetalLB reads pools and advertisements. */
export const METALLB_NAMESPACE = "metallb-system";

/** The objects of upstream's own manifest, native BGP, with the images of this lab. */
export async function metallbObjects(): Promise<readonly Manifested[]> {
  const folder = await moduleFolder(METALLB);
  const [controller, speaker] = await neighbourImages(METALLB);
  const upstream = readFileSync(join(folder, "config/manifests/metallb-native.yaml"), "utf8");
  const text = upstream
    .replaceAll(/quay\.io\/metallb\/controller:\S+/g, controller!.reference)
    .replaceAll(/quay\.io\/metallb\/speaker:\S+/g, speaker!.reference);
  return parseAllDocuments(text).map((document) => document.toJS() as Manifested);
}

/** Objects as kubectl takes them. */
export const manifestOf = (objects: readonly Manifested[]): string =>
  objects.map((object) => JSON.stringify(object)).join("\n---\n");

/** Waits until both of MetalLB's halves run. */
export async function awaitMetallb({ kubectl }: Target): Promise<void> {
  for (const workload of ["deployment/controller", "daemonset/speaker"]) {
    await kubectl(["rollout", "status", workload, "-n", METALLB_NAMESPACE, "--timeout=240s"]);
  }
}
