/** Gathers what docs/reference.md is made from. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { addressMetrics, registeredMetrics } from "./reference/metrics.ts";
import { referencePage } from "./reference/page.ts";
import { unlisted } from "./reference/settings.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** The text of docs/reference.md; throws where the source has a setting or a metric that nothing is told of. */
export function reference(): string {
  const sources = ["pepr.ts", ...["capabilities", "cluster", "core"].flatMap(typeScript)];
  const untold = unlisted(sources.map(read).join("\n"));
  if (untold.length > 0) {
    throw new Error(`hack/src/reference/settings.ts says nothing of ${untold.join(", ")}; add what they do`);
  }
  const metrics = [
    ...addressMetrics(read("announcer/src/metrics/addresses.rs")),
    ...registeredMetrics(read("announcer/src/metrics.rs")),
  ];
  return referencePage(metrics, packageJson.pepr.env);
}

const typeScript = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file));
