/** For each file of tests on a lab: at its first failure the state of the lab is told, and kept for the end of `hack/test`. */
import { appendFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, afterEach, inject, type RunnerTask } from "vitest";
import { targetLab } from "../../hack/src/target.ts";
import { describeCluster } from "./cluster-state.ts";

const cell = { isTold: false };

afterEach(async ({ task }) => {
  if (hasFailed(task)) await tell(task.file.filepath);
});
// Where what all tests of a suite need can't be had, none of them begins.
// eslint-disable-next-line no-empty-pattern -- Vitest reads the names of fixtures here
afterAll(async ({}, { file }) => {
  if (hasFailed(file)) await tell(file.filepath);
});

const hasFailed = (task: RunnerTask): boolean =>
  task.result?.state === "fail" || ("tasks" in task && task.tasks.some(hasFailed));

async function tell(path: string): Promise<void> {
  if (cell.isTold) return;
  cell.isTold = true;
  const state = await describeCluster(await targetLab(inject("lab")));
  const text = `The lab after the first failure in ${basename(path)}:\n${state}\n`;
  console.log(text);
  const folder = process.env["BERTH_REPORTS"];
  if (folder !== undefined) appendFileSync(join(folder, "labs.txt"), text);
}
