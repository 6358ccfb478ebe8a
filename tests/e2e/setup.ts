/** One lab with Berth on it for all end-to-end tests; taken down whatever happened. */
import type { TestProject } from "vitest/node";
import { bringUpLab, deploy } from "../../hack/src/product.ts";
import { targetLab } from "../../hack/src/target.ts";

declare module "vitest" {
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- merged into vitest's own
  export interface ProvidedContext {
    lab: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const name = process.env["BERTH_LAB"] ?? "e2e";
  const target = await targetLab(name);
  const isBorrowed = process.env["BERTH_LAB_READY"] !== undefined;
  const takeDown = async (): Promise<void> => {
    if (!isBorrowed) await target.lab("down");
  };
  provide("lab", name);
  try {
    if (!isBorrowed) {
      await bringUpLab(target, ["--nodes", "3", "--ipv6", "--audit"]);
      await deploy(target);
    }
  } catch (error) {
    await takeDown();
    throw error;
  }
  return takeDown;
}
