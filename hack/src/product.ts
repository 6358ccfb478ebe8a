/** Brings Berth onto a lab the way its README says: images loaded, then `npx pepr deploy`. */
import { productImages, references } from "./images.ts";
import { run } from "./shell.ts";
import { root, type Target } from "./target.ts";

/** A lab with its nodes Ready; builds the images meanwhile, and loads them. */
export async function bringUpLab(target: Target, args: readonly string[]): Promise<void> {
  const [images] = await Promise.all([productImages(), target.lab("up", ...args)]);
  await target.lab("load", ...images.map(({ archive }) => archive));
}

/** Installs the operator, and with it everything else; what Pepr printed. */
export const deploy = (target: Target): Promise<string> =>
  run("npx", ["--no-install", "pepr", "deploy", "--image", references.operator, "--yes"], {
    cwd: root,
    env: { KUBECONFIG: target.kubeconfig, NO_COLOR: "1" },
  });
