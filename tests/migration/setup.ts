/** A lab that has never heard of Berth, with the images of both at hand. */
import type { TestProject } from "vitest/node";
import { productImages } from "../../hack/src/images.ts";
import { METALLB, neighbourImages } from "../../hack/src/neighbours.ts";
import { shareLab } from "../support/lab-setup.ts";

export default function setup(project: TestProject): Promise<() => Promise<void>> {
  return shareLab(project, "migration", async (target, isUp) => {
    const images = [...(await productImages()), ...(await neighbourImages(METALLB))];
    if (!isUp) await target.lab("up", "--nodes", "3");
    await target.lab("load", ...images.map(({ archive }) => archive));
  });
}
