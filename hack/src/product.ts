/** Brings Berth onto a lab the way its README says: images loaded, then `npx pepr deploy`. */
import { productImages, references } from "./images.ts";
import { run } from "./shell.ts";
import { root, type Target } from "./target.ts";

/** A lab with its nodes Ready; builds the images meanwhile, and loads them. */
export async function bringUpLab(target: Target, args: readonly string[]): Promise<void> {
  const [images] = await Promise.all([productImages(), target.lab("up", ...args)]);
  await target.lab("load", ...images.map(({ archive }) => archive));
}

/** Installs the operator of a checkout, and with it everything else, over whatever runs; what Pepr printed. */
export const deployFrom = (folder: string, operator: string, { kubeconfig }: Target): Promise<string> =>
  run("npx", ["--no-install", "pepr", "deploy", "--image", operator, "--yes"], {
    cwd: folder,
    env: { KUBECONFIG: kubeconfig, NO_COLOR: "1" },
  });

/** Installs this checkout's. */
export const deploy = (target: Target): Promise<string> => deployFrom(root, references.operator, target);
