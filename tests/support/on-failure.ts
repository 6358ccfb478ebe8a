/** For each file of tests on a lab: at its first failure the state of the lab is told, and kept for the end of `hack/test`. */
import { appendFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, afterEach, inject } from "vitest";
import { targetLab } from "../../hack/src/target.ts";
import { describeCluster } from "./cluster-state.ts";

const cell = { isTold: false };

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await tell(task.file.filepath);
});
// Where what all tests of the file need can't be had, none of them begins.
// eslint-disable-next-line no-empty-pattern -- Vitest reads the names of fixtures here
afterAll(async ({}, { file, result }) => {
  if (result?.state === "fail") await tell(file.filepath);
});

async function tell(path: string): Promise<void> {
  if (cell.isTold) return;
  cell.isTold = true;
  const state = `The lab after the first failure in ${basename(path)}:\n${await describeCluster(await targetLab(inject("lab")))}\n`;
  console.log(state);
  const folder = process.env["BERTH_REPORTS"];
  if (folder !== undefined) appendFileSync(join(folder, "labs.txt"), state);
}
