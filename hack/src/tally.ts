/** The closing lines of `hack/test`: what failed, how a lab stood then, and how many tests passed and failed over all runs. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { pickList, pickNumber, pickText } from "./lab/json.ts";

/** How many failed tests are named, and how many lines are told of how labs stood, the first failure first. */
const [NAMED, LINES] = [20, 100];

const [folder = "", failedStages = "0"] = process.argv.slice(2);
const reports = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name): unknown => JSON.parse(readFileSync(join(folder, name), "utf8")));
const sum = (field: string): number =>
  reports.reduce<number>((total, report) => total + (pickNumber(report, field) ?? 0), 0);
const failed = sum("numFailedTests");
const isRed = failed > 0 || failedStages !== "0" || reports.length === 0;

/** Each failed test with the first line of its complaint, and each file that could not begin. */
const failures = reports
  .flatMap((report) => pickList(report, "testResults"))
  .filter((file) => pickText(file, "status") === "failed")
  .flatMap((file) => {
    const name = basename(pickText(file, "name"));
    const tests = pickList(file, "assertionResults").filter((one) => pickText(one, "status") === "failed");
    const told = [
      ...[pickText(file, "message")].filter(Boolean).map((message) => `${name}: ${firstLine(message)}`),
      ...tests.map((one) => `${name}: ${pickText(one, "fullName")}: ${firstLine(pickText(one, "failureMessages", 0))}`),
    ];
    return told.length > 0 ? told : [`${name}: a set-up failed; see above`];
  });

function firstLine(text: string): string {
  return stripVTControlCharacters(text).split("\n")[0] ?? "";
}

const states = join(folder, "labs.txt");
const lines = existsSync(states) ? readFileSync(states, "utf8").trimEnd().split("\n") : [];
for (const line of lines.slice(0, LINES)) console.log(line);
if (lines.length > LINES) console.log(`… ${String(lines.length - LINES)} lines more; see above`);
for (const line of failures.slice(0, NAMED)) console.log(`failed: ${line}`);
if (failures.length > NAMED) console.log(`failed: ${String(failures.length - NAMED)} more`);
if (isRed && failed === 0) console.log("a check or a set-up failed; see above");
console.log(`${String(sum("numPassedTests"))} passed, ${String(failed)} failed`);
process.exitCode = isRed ? 1 : 0;
