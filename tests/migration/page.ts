/** The commands of docs/migrate-from-metallb.md, run as they stand there. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { kubernetesBinaries } from "../../hack/src/lab/binaries.ts";
import { cacheFolder } from "../../hack/src/cache.ts";
import { attempt, type Finished } from "../../hack/src/shell.ts";
import { root, type Target } from "../../hack/src/target.ts";

/** Each section's shell commands, by its heading. */
export function sectionsOf(markdown: string): ReadonlyMap<string, string> {
  const parts = markdown.split(/^##+ /m).map((part) => {
    const blocks = [...part.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block]) => block ?? "");
    return [part.split("\n", 1)[0] ?? "", blocks.join("")] as const;
  });
  return new Map(parts.filter(([, commands]) => commands !== ""));
}

const page = readFileSync(join(root, "docs/migrate-from-metallb.md"), "utf8");

/** Runs a section in the checkout, as somebody whose home that folder is; rejects when a command fails. */
export async function follow(target: Target, home: string, heading: string): Promise<string> {
  const commands = sectionsOf(page).get(heading);
  if (commands === undefined) throw new Error(`the page has no section "${heading}" with commands`);
  const { kubectl } = await kubernetesBinaries(cacheFolder());
  const PATH = `${dirname(kubectl)}:${process.env["PATH"] ?? ""}`;
  const env = { PATH, HOME: home, KUBECONFIG: target.kubeconfig, NO_COLOR: "1" };
  const done: Finished = await attempt("bash", ["-euo", "pipefail", "-c", commands], { cwd: root, env });
  if (done.code !== 0) throw new Error(`"${heading}" ended with ${String(done.code)}:\n${done.stdout}${done.stderr}`);
  return done.stdout + done.stderr;
}
