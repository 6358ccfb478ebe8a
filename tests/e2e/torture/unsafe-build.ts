/** Puts another build of the module into the admission pods of a lab, and the deployed one back. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { pick } from "../../../hack/src/lab/json.ts";
import { root, type Target } from "../../../hack/src/target.ts";
import { noteOtherVersion } from "../other-version.ts";
import { leaderOfTwo, scaleWatchers, wantedCount } from "../watchers.ts";

/** pepr.ts as `pepr build` bundles it, with one import exchanged. */
async function bundleUnsafe(): Promise<Buffer> {
  const { outputFiles } = await build({
    entryPoints: [join(root, "pepr.ts")],
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    keepNames: true,
    logLevel: "error",
    external: ["pepr", "kubernetes-fluent-client", "@kubernetes/client-node", "pino"],
    plugins: [
      {
        name: "unsafe",
        setup: (bundler) => {
          bundler.onResolve({ filter: /^\.\/cluster\/api\.ts$/ }, () => ({
            path: join(import.meta.dirname, "unsafe-api.ts"),
          }));
        },
      },
    ],
  });
  return Buffer.from(outputFiles[0]!.contents);
}

const ADMISSION = "pepr-berth";
const inPepr = ["-n", "pepr-system"];

/** Runs `work` with admission pods of the unsafe build, and no watcher that would mend what they do; notes that it was there. */
export async function withUnsafeBuild<T>(target: Target, work: () => Promise<T>): Promise<T> {
  const code = await bundleUnsafe();
  const hash = createHash("sha256").update(code).digest("hex");
  const data = { [`module-${hash}.js.gz`]: gzipSync(code).toString("base64") };
  const metadata = { name: `${ADMISSION}-module`, namespace: "pepr-system" };
  const secret = { apiVersion: "v1", kind: "Secret", metadata, data };
  // Not by a patch: an argument may not be as long as a module.
  await target.kubectl(["apply", "--server-side", "--field-manager=torture", "-f", "-"], JSON.stringify(secret));
  const deployed = await target.json(["get", "deployment", ADMISSION, ...inPepr]);
  const watchers = (await wantedCount(target)) ?? 0;
  const args = pick(deployed, "spec", "template", "spec", "containers", "0", "args") as readonly string[];
  const beganAt = new Date();
  try {
    await scaleWatchers(target, 0);
    await runWith(target, [args[0]!, hash]);
    return await work();
  } finally {
    try {
      await runWith(target, args);
      await scaleWatchers(target, watchers);
      await leaderOfTwo(target);
    } finally {
      await noteOtherVersion(target, beganAt);
    }
  }
}

async function runWith({ kubectl }: Target, args: readonly string[]): Promise<void> {
  const path = "/spec/template/spec/containers/0/args";
  const patch = JSON.stringify([{ op: "replace", path, value: args }]);
  await kubectl(["patch", "deployment", ADMISSION, ...inPepr, "--type=json", "-p", patch]);
  await kubectl(["rollout", "status", `deployment/${ADMISSION}`, ...inPepr, "--timeout=180s"]);
  await kubectl([
    "wait",
    "pod",
    ...inPepr,
    "-l",
    "pepr.dev/controller=admission",
    "--for=condition=Ready",
    "--timeout=60s",
  ]);
}
