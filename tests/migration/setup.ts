/** A lab that has never heard of Berth, with the images of both at hand; taken down whatever happened. */
import type { TestProject } from "vitest/node";
import { productImages } from "../../hack/src/images.ts";
import { METALLB, neighbourImages } from "../../hack/src/neighbours.ts";
import { targetLab } from "../../hack/src/target.ts";

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const name = process.env["BERTH_LAB"] ?? "migration";
  const target = await targetLab(name);
  const isBorrowed = process.env["BERTH_LAB_READY"] !== undefined;
  const takeDown = async (): Promise<void> => {
    if (!isBorrowed) await target.lab("down");
  };
  provide("lab", name);
  try {
    const images = [...(await productImages()), ...(await neighbourImages(METALLB))];
    if (!isBorrowed) await target.lab("up", "--nodes", "3");
    await target.lab("load", ...images.map(({ archive }) => archive));
  } catch (error) {
    await takeDown();
    throw error;
  }
  return takeDown;
}
