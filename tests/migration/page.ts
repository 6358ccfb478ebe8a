/** docs/migrate-from-metallb.md, followed as it stands there. */
import { dirname } from "node:path";
import { kubernetesBinaries } from "../../hack/src/lab/binaries.ts";
import { cacheFolder } from "../../hack/src/cache.ts";
import type { Target } from "../../hack/src/target.ts";
import { Page, type } from "../support/page.ts";

export const page = new Page("migrate-from-metallb.md");

/** Runs a section in the checkout, as somebody whose home that folder is; rejects when a command fails. */
export async function follow({ kubeconfig }: Target, home: string, heading: string): Promise<string> {
  const { kubectl } = await kubernetesBinaries(cacheFolder());
  const PATH = `${dirname(kubectl)}:${process.env["PATH"] ?? ""}`;
  return type(page.section(heading), { PATH, HOME: home, KUBECONFIG: kubeconfig });
}
