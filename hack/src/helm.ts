/** Finding Helm, or building it once from the pinned module in hack/helm. */
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { pinnedModule } from "./neighbours.ts";
import { run } from "./shell.ts";

const MODULE = join(import.meta.dirname, "../helm");

/** The versions that hack/helm/go.mod pins: of Helm, and of the Kubernetes that it takes itself to be made for. */
export function pinnedHelm(goMod: string): { readonly helm: string; readonly kubernetes: string } {
  const helm = pinnedModule(goMod, "helm.sh/helm/v3");
  const [, kubernetes = ""] = pinnedModule(goMod, "k8s.io/client-go").split(".");
  return { helm, kubernetes };
}

/** Path of the pinned Helm, built into the cache where it is not there yet. */
export async function helmBinary(): Promise<string> {
  const { helm, kubernetes } = pinnedHelm(readFileSync(join(MODULE, "go.mod"), "utf8"));
  const folder = join(cacheFolder(), "helm", `${helm}-k8s-1.${kubernetes}`);
  const file = join(folder, "helm");
  if (existsSync(file)) return file;
  process.stderr.write(`building helm ${helm}, once; this takes minutes\n`);
  mkdirSync(folder, { recursive: true });
  const building = `${file}.building-${String(process.pid)}`;
  // Without these, Helm takes every cluster that it is not connected to for Kubernetes 1.20.
  const stamps = ["chartutil", "lint/rules"].flatMap((place) => [
    `-X helm.sh/helm/v3/pkg/${place}.k8sVersionMajor=1`,
    `-X helm.sh/helm/v3/pkg/${place}.k8sVersionMinor=${kubernetes}`,
  ]);
  const flags = ["-s -w", `-X helm.sh/helm/v3/internal/version.version=${helm}`, ...stamps].join(" ");
  await run("go", ["build", "-p", "1", "-trimpath", "-ldflags", flags, "-o", building, "helm.sh/helm/v3/cmd/helm"], {
    cwd: MODULE,
    env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
  });
  renameSync(building, file);
  return file;
}

if (import.meta.main) console.log(await helmBinary());
