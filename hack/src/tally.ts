/** The closing line of `hack/test`: how many tests passed and failed, over all runs. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pickNumber } from "./lab/json.ts";

const [folder = "", failedStages = "0"] = process.argv.slice(2);
const reports = readdirSync(folder).map((name): unknown => JSON.parse(readFileSync(join(folder, name), "utf8")));
const sum = (field: string): number =>
  reports.reduce<number>((total, report) => total + (pickNumber(report, field) ?? 0), 0);
const failed = sum("numFailedTests");
const isRed = failed > 0 || failedStages !== "0" || reports.length === 0;

if (isRed && failed === 0) console.log("a check or a set-up failed; see above");
console.log(`${String(sum("numPassedTests"))} passed, ${String(failed)} failed`);
process.exitCode = isRed ? 1 : 0;
