/** Finding Helm, or building it once from the pinned module in hack/helm. */
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { buildMissing, pinnedVersion, type GoModule } from "./go-programs.ts";

const HELM: GoModule = { name: "helm", module: "helm.sh/helm/v3", programs: ["cmd/helm"] };

/** Path of the pinned Helm, built into the cache where it is not there yet. */
export async function helmBinary(): Promise<string> {
  const version = pinnedVersion(HELM);
  // The Kubernetes that Helm takes itself to be made for; without it, every cluster that it is not connected to is a 1.20.
  const [, minor = ""] = pinnedVersion(HELM, "k8s.io/client-go").split(".");
  const folder = join(cacheFolder(), "helm", `${version}-k8s-1.${minor}`);
  const stamps = ["chartutil", "lint/rules"].flatMap((place) => [
    `-X ${HELM.module}/pkg/${place}.k8sVersionMajor=1`,
    `-X ${HELM.module}/pkg/${place}.k8sVersionMinor=${minor}`,
  ]);
  await buildMissing(HELM, folder, [`-X ${HELM.module}/internal/version.version=${version}`, ...stamps]);
  return join(folder, "helm");
}

if (import.meta.main) console.log(await helmBinary());
