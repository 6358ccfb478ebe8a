/** Finding the Kubernetes binaries, or building them once from the pinned modules in hack/kubernetes. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findExecutable, installedFolders } from "../executables.ts";
import { buildMissing, pinnedVersion, type GoModule } from "../go-programs.ts";
import { attempt } from "../shell.ts";

const NAMES = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
] as const;

const KUBERNETES: GoModule = {
  name: "kubernetes",
  module: "k8s.io/kubernetes",
  programs: NAMES.map((name) => `cmd/${name}`),
};

type BinaryName = (typeof NAMES)[number];

/** Path of each binary. */
export type KubernetesBinaries = Readonly<Record<BinaryName, string>>;

/** Claims that two versions such as "v1.36.3" share their minor, so that their parts may be mixed. */
export function sameMinor(a: string, b: string): boolean {
  const minor = (version: string): string => version.split(".").slice(0, 2).join(".");
  return minor(a) === minor(b);
}

/** Flags of the linker that put the version into the binaries. */
export function versionStamps(version: string): readonly string[] {
  const [major = "", minor = ""] = version.slice(1).split(".");
  return ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((place) => [
    `-X ${place}.gitVersion=${version}`,
    `-X ${place}.gitMajor=${major}`,
    `-X ${place}.gitMinor=${minor}`,
  ]);
}

async function findInstalled(name: BinaryName, version: string): Promise<string | undefined> {
  const file = findExecutable(name, installedFolders());
  if (file === undefined) return undefined;
  const said = await attempt(file, name === "kubectl" ? ["version", "--client"] : ["--version"]);
  const found = /v\d+\.\d+\.\d+/.exec(said.stdout)?.[0] ?? "";
  return sameMinor(found, version) ? file : undefined;
}

/** Every binary: installed ones of the pinned minor version first, else those in the cache, else built into it. */
export async function kubernetesBinaries(cache: string): Promise<KubernetesBinaries> {
  const version = pinnedVersion(KUBERNETES);
  const folder = join(cache, "kubernetes", version);
  const found = await Promise.all(
    NAMES.map(async (name) => ({
      name,
      file: (await findInstalled(name, version)) ?? join(folder, name),
    })),
  );
  const missing = found.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  const programs = missing.map((name) => `cmd/${name}`);
  await buildMissing({ ...KUBERNETES, programs }, folder, versionStamps(version));
  const fileOf = (wanted: BinaryName): string =>
    found.find(({ name }) => name === wanted)?.file ?? join(folder, wanted);
  return {
    "kube-apiserver": fileOf("kube-apiserver"),
    "kube-controller-manager": fileOf("kube-controller-manager"),
    "kube-scheduler": fileOf("kube-scheduler"),
    kubelet: fileOf("kubelet"),
    "kube-proxy": fileOf("kube-proxy"),
    kubectl: fileOf("kubectl"),
  };
}
