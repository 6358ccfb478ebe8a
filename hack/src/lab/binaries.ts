/** Finding the Kubernetes binaries, or building them once from the pinned modules in hack/kubernetes. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { attempt, run } from "../shell.ts";

const MODULE = join(import.meta.dirname, "../../kubernetes");

const NAMES = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
] as const;

type BinaryName = (typeof NAMES)[number];

/** Path of each binary. */
export type KubernetesBinaries = Readonly<Record<BinaryName, string>>;

/** The Kubernetes version that a go.mod pins, such as "v1.36.3". */
export function pinnedVersion(goMod: string): string {
  const version = /^\s*k8s\.io\/kubernetes (v\d+\.\d+\.\d+)/m.exec(goMod)?.[1];
  if (version === undefined) throw new Error("hack/kubernetes/go.mod pins no version of k8s.io/kubernetes");
  return version;
}

/** Claims that two versions such as "v1.36.3" share their minor, so that their parts may be mixed. */
export function sameMinor(a: string, b: string): boolean {
  const minor = (version: string): string => version.split(".").slice(0, 2).join(".");
  return minor(a) === minor(b);
}

/** Flags of `go build` that put the version into the binaries. */
export function linkerFlags(version: string): string {
  const [major = "", minor = ""] = version.slice(1).split(".");
  const stamps = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((place) => [
    `-X ${place}.gitVersion=${version}`,
    `-X ${place}.gitMajor=${major}`,
    `-X ${place}.gitMinor=${minor}`,
  ]);
  return ["-s -w", ...stamps].join(" ");
}

/** The first executable file of that name in these folders. */
export function findExecutable(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** KUBEBUILDER_ASSETS, when set, and the folders of PATH. */
export function installedFolders(): readonly string[] {
  const folders = [process.env["KUBEBUILDER_ASSETS"] ?? "", ...(process.env["PATH"] ?? "").split(":")];
  return folders.filter(Boolean);
}

async function findInstalled(name: BinaryName, version: string): Promise<string | undefined> {
  const file = findExecutable(name, installedFolders());
  if (file === undefined) return undefined;
  const said = await attempt(file, name === "kubectl" ? ["version", "--client"] : ["--version"]);
  const found = /v\d+\.\d+\.\d+/.exec(said.stdout)?.[0] ?? "";
  return sameMinor(found, version) ? file : undefined;
}

async function build(names: readonly BinaryName[], version: string, folder: string): Promise<void> {
  if (findExecutable("go", installedFolders()) === undefined) {
    throw new Error(`no Go to build ${names.join(", ")} with; run hack/setup, or set KUBEBUILDER_ASSETS`);
  }
  process.stderr.write(`building ${names.join(", ")} ${version}, once; this takes minutes\n`);
  const building = `${folder}.building-${String(process.pid)}`;
  mkdirSync(building, { recursive: true });
  try {
    const packages = names.map((name) => `k8s.io/kubernetes/cmd/${name}`);
    await run("go", ["build", "-trimpath", "-ldflags", linkerFlags(version), "-o", `${building}/`, ...packages], {
      cwd: MODULE,
      env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
    });
    mkdirSync(folder, { recursive: true });
    for (const name of names) renameSync(join(building, name), join(folder, name));
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** Every binary: installed ones of the pinned minor version first, else those in the cache, else built into it. */
export async function kubernetesBinaries(cache: string): Promise<KubernetesBinaries> {
  const version = pinnedVersion(readFileSync(join(MODULE, "go.mod"), "utf8"));
  const folder = join(cache, "kubernetes", version);
  const found = await Promise.all(
    NAMES.map(async (name) => ({
      name,
      file: (await findInstalled(name, version)) ?? join(folder, name),
    })),
  );
  const missing = found.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  if (missing.length > 0) await build(missing, version, folder);
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
