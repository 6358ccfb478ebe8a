/** `npm run build`: the module, and with it the rendered manifest, the part of the kustomization that is built, and the chart. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { chartFiles } from "./install/chart.ts";
import { moduleFiles } from "./install/kustomize.ts";
import { allObjects, installation } from "./install/manifests.ts";
import { buildModule } from "./install/module.ts";
import { printObjects } from "./install/object.ts";
import { root } from "./target.ts";

/** What was built, by its path in the checkout. */
export const BUILT = { rendered: "dist/berth.yaml", module: "dist/module", chart: "dist/charts/berth" } as const;

/** Writes all of {@link BUILT} anew. */
export async function buildInstallation(): Promise<void> {
  const built = await buildModule();
  const whole = await installation(built);
  writeFolder(BUILT.module, moduleFiles(whole, built.hash));
  writeFolder(BUILT.chart, chartFiles(whole));
  writeFileSync(join(root, BUILT.rendered), printObjects(allObjects(whole)));
}

function writeFolder(folder: string, files: ReadonlyMap<string, string>): void {
  rmSync(join(root, folder), { recursive: true, force: true });
  for (const [path, text] of files) {
    const file = join(root, folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

if (import.meta.main) {
  await buildInstallation();
  for (const path of Object.values(BUILT)) console.log(path);
}
