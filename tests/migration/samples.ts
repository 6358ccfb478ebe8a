/** The examples that MetalLB's own repository shows, from its module. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { explain } from "../../core/explain.ts";
import { bgpTypes } from "../../core/explain/bgp.ts";
import { parseObjects } from "../../hack/src/install/object.ts";
import { pickText } from "../../hack/src/lab/json.ts";
import { METALLB, moduleFolder } from "../../hack/src/neighbours.ts";
import { until } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";

/** A sample: a file of one or more objects, and what is to be said of those of BGP. */
export type Sample = { readonly name: string; readonly file: string; readonly unspoken: readonly string[] };

/** All samples, by name. */
export async function upstreamSamples(): Promise<readonly Sample[]> {
  const folder = join(await moduleFolder(METALLB), "configsamples");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => ({ name, file: join(folder, name), unspoken: unspokenIn(join(folder, name)) }));
}

const unspokenIn = (file: string): readonly string[] =>
  parseObjects(readFileSync(file, "utf8")).flatMap((object) => {
    const type = bgpTypes.find((one) => one === pickText(object, "kind"));
    if (type === undefined) return [];
    const key = `${pickText(object, "metadata", "namespace")}/${pickText(object, "metadata", "name")}`;
    return [`Warning: ${explain({ kind: "bgpUnspoken", type, object: key })}`];
  });

/**
 * `kubectl apply` of a sample, after a dry run; then it is taken away again, the Service first, since no pool goes while one
 * has its addresses. The Warnings about BGP, of both.
 */
export async function tryOut({ kubectl, tryKubectl }: Target, { name, file }: Sample): Promise<Warnings> {
  const dryRun = await apply(tryKubectl, "--dry-run=server", "-f", file);
  const applied = await apply(tryKubectl, "-f", file);
  await kubectl(["delete", "service", "nginx", "-n", "default", "--ignore-not-found"]);
  await until(`${name} to be gone`, 30_000, 500, async () => {
    const { code } = await tryKubectl(["delete", "-f", file, "--ignore-not-found"]);
    return code === 0 ? true : undefined;
  });
  return { dryRun, applied };
}

type Warnings = { readonly dryRun: readonly string[]; readonly applied: readonly string[] };

async function apply(tryKubectl: Target["tryKubectl"], ...args: readonly string[]): Promise<readonly string[]> {
  const { code, stderr } = await tryKubectl(["apply", "--validate=strict", ...args]);
  if (code !== 0) throw new Error(`kubectl apply ${args.join(" ")}: ${stderr}`);
  return stderr.split("\n").filter((line) => line.includes("BGP"));
}
