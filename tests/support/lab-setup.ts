/** The one lab that all tests of a project share; taken down whatever happened. */
import type { TestProject } from "vitest/node";
import { targetLab, type Target } from "../../hack/src/target.ts";

declare module "vitest" {
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- merged into vitest's own
  export interface ProvidedContext {
    lab: string;
  }
}

/**
 * Gives the lab's name to the tests, has it brought up, and gives what takes it down. With BERTH_LAB_READY the lab of that name
 * is somebody else's: it is up already, and stays.
 */
export async function shareLab(
  { provide }: TestProject,
  usualName: string,
  bringUp: (target: Target, isUp: boolean) => Promise<void>,
): Promise<() => Promise<void>> {
  const name = process.env["BERTH_LAB"] ?? usualName;
  const target = await targetLab(name);
  const isBorrowed = process.env["BERTH_LAB_READY"] !== undefined;
  const takeDown = async (): Promise<void> => {
    if (!isBorrowed) await target.lab("down");
  };
  provide("lab", name);
  try {
    await bringUp(target, isBorrowed);
  } catch (error) {
    await takeDown();
    throw error;
  }
  return takeDown;
}
