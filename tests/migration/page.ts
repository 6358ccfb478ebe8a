/** The pages about moving over, followed as they stand there. */
import { dirname } from "node:path";
import { kubernetesBinaries } from "../../hack/src/lab/binaries.ts";
import { cacheFolder } from "../../hack/src/cache.ts";
import { helmBinary } from "../../hack/src/helm.ts";
import type { Target } from "../../hack/src/target.ts";
import { Page, type } from "../support/page.ts";

/** By MetalLB's manifests, and by its chart. */
export const pages = {
  fromManifests: new Page("migrate-from-metallb.md"),
  fromChart: new Page("migrate-from-metallb-with-helm.md"),
} as const;

/** Somebody in the checkout whose home that folder is, and whose kubectl and helm are set to the cluster. */
export class Reader {
  readonly #page: Page;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(page: Page, env: Readonly<Record<string, string>>) {
    this.#page = page;
    this.#env = env;
  }

  static async of(page: Page, { kubeconfig }: Target, home: string): Promise<Reader> {
    const { kubectl } = await kubernetesBinaries(cacheFolder());
    const PATH = [dirname(kubectl), dirname(await helmBinary()), process.env["PATH"]].join(":");
    return new Reader(page, { PATH, HOME: home, KUBECONFIG: kubeconfig });
  }

  /** Runs a section, with other words for those that stand for what is not here; rejects when a command fails. */
  follow(heading: string, words: Readonly<Record<string, string>> = {}): Promise<string> {
    const section = this.#page.section(heading);
    return type(
      Object.entries(words).reduce((text, [word, here]) => text.replaceAll(word, here), section),
      this.#env,
    );
  }
}
