/** A lab with Berth on it, for the end-to-end tests and those of the ways in. */
import type { TestProject } from "vitest/node";
import { awaitCalm, bringUpLab, deploy } from "../../hack/src/product.ts";
import { shareLab } from "../support/lab-setup.ts";

export default function setup(project: TestProject): Promise<() => Promise<void>> {
  return shareLab(project, "e2e", async (target, isUp) => {
    if (isUp) return;
    await bringUpLab(target, ["--nodes", "3", "--ipv6", "--audit"]);
    await deploy(target);
    // No test is to meet a pod that is on its way out.
    await awaitCalm(target);
  });
}
