/** The examples that MetalLB's own repository shows, from its module. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { METALLB, moduleFolder } from "../../hack/src/neighbours.ts";
import { until } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";

/** A sample: a file of one or more objects, and whether all of them are of layer 2. */
export type Sample = { readonly name: string; readonly file: string; readonly isLayer2: boolean };

/** All samples, by name. */
export async function upstreamSamples(): Promise<readonly Sample[]> {
  const folder = join(await moduleFolder(METALLB), "configsamples");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => {
      const file = join(folder, name);
      return { name, file, isLayer2: !/^kind: (BGP|BFD|Community)/m.test(readFileSync(file, "utf8")) };
    });
}

/** `kubectl apply` of a sample; then it is taken away again, the Service first, since no pool goes while one has its addresses. */
export async function tryOut({ kubectl, tryKubectl }: Target, { name, file }: Sample): Promise<void> {
  await kubectl(["apply", "-f", file]);
  await kubectl(["delete", "service", "nginx", "-n", "default", "--ignore-not-found"]);
  await until(`${name} to be gone`, 30_000, 500, async () => {
    const { code } = await tryKubectl(["delete", "-f", file, "--ignore-not-found"]);
    return code === 0 ? true : undefined;
  });
}
