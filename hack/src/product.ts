/** Brings Berth onto a lab the way its README says: images loaded, then `npx pepr deploy`. */
import { keys } from "../../core/keys.ts";
import { productImages, references } from "./images.ts";
import { pick, pickList, pickText } from "./lab/json.ts";
import { run, until } from "./shell.ts";
import { root, type Target } from "./target.ts";

/** Longest wait for the operator after its deploy, in milliseconds. */
const READY_MILLIS = 300_000;
/** For how long its pods are to have been the same ones, in milliseconds. */
const CALM_MILLIS = 15_000;

/** A lab with its nodes Ready; builds the images meanwhile, and loads them. */
export async function bringUpLab(target: Target, args: readonly string[]): Promise<void> {
  const work = [productImages(), target.lab("up", ...args)] as const;
  // Should the images fail, the lab is taken down, and can't be while it still comes up.
  await Promise.allSettled(work);
  const [images] = await Promise.all(work);
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

/** Waits until the operator's pods are ready and stay: the first deploy has each of them replaced once. */
export async function awaitCalm(target: Target): Promise<void> {
  const seen = { pods: "", sinceMillis: 0 };
  await until("the operator's pods to be ready and stay", READY_MILLIS, 500, async () => {
    const pods = pickList(await target.json(["get", "pods", "-n", keys.operatorNamespace]), "items");
    const areReady = pods.every((pod) => pick(pod, "status", "containerStatuses", 0, "ready") === true);
    const names = areReady ? pods.map((pod) => pickText(pod, "metadata", "name")).join() : "";
    if (names === "" || names !== seen.pods) Object.assign(seen, { pods: names, sinceMillis: performance.now() });
    return performance.now() - seen.sinceMillis > CALM_MILLIS ? true : undefined;
  });
}
