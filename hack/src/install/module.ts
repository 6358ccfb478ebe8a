/** The module as Pepr builds it, without the minute that `pepr build` takes for its checks of format and types. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import pepr from "pepr/package.json" with { type: "json" };
import type * as K8sObjects from "pepr/dist/lib/assets/k8sObjects";
import type * as Loader from "pepr/dist/lib/assets/loader";
import type * as Rbac from "pepr/dist/lib/assets/rbac";
import type * as Webhooks from "pepr/dist/lib/assets/webhooks";
import settings from "../../../package.json" with { type: "json" };
import { root } from "../target.ts";

/** Pepr's functions that make the objects of a module; its package has no entry for them. */
type PeprLibrary = typeof K8sObjects & typeof Loader & typeof Rbac & typeof Webhooks;

/** What `pepr deploy` makes the objects from. */
export type Built = {
  readonly code: Buffer;
  /** SHA-256 of the code, by which Pepr's container finds it. */
  readonly hash: string;
  readonly capabilities: Awaited<ReturnType<PeprLibrary["loadCapabilities"]>>;
  readonly library: PeprLibrary;
};

/** What Pepr's container brings, and the bundle leaves out. */
const EXTERNAL = [...Object.keys(pepr.dependencies), "pepr", "@kubernetes/client-node"];

/** Bundles the module with Pepr's own options, byte for byte, and asks it what it can do. */
export async function buildModule(): Promise<Built> {
  mkdirSync(join(root, "dist"), { recursive: true });
  const folder = mkdtempSync(join(root, "dist/build-"));
  try {
    const outfile = join(folder, `pepr-${settings.pepr.uuid}.js`);
    await build({
      absWorkingDir: root,
      bundle: true,
      entryPoints: ["pepr.ts"],
      external: EXTERNAL,
      format: "cjs",
      keepNames: true,
      legalComments: "external",
      logLevel: "error",
      minify: true,
      outfile,
      platform: "node",
      sourcemap: true,
      treeShaking: true,
    });
    const library = await loadLibrary(folder);
    const code = readFileSync(outfile);
    const hash = createHash("sha256").update(code).digest("hex");
    return { code, hash, library, capabilities: await library.loadCapabilities(outfile) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function loadLibrary(folder: string): Promise<PeprLibrary> {
  const outfile = join(folder, "pepr-library.mjs");
  const parts = ["k8sObjects", "loader", "rbac", "webhooks"];
  const contents = parts.map((part) => `export * from "./node_modules/pepr/src/lib/assets/${part}.ts";`).join("\n");
  await build({
    bundle: true,
    format: "esm",
    logLevel: "error",
    outfile,
    packages: "external",
    platform: "node",
    stdin: { contents, resolveDir: root },
  });
  return (await import(outfile)) as PeprLibrary;
}
