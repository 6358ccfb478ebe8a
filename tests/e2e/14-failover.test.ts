import { afterAll, beforeAll, expect, test } from "vitest";
import { FAULTS, type Fault } from "../../hack/src/failover/faults.ts";
import { announcersOn, METRICS_URL, openGround, readyEverywhere, type Ground } from "../../hack/src/failover/ground.ts";
import { observe } from "../../hack/src/failover/observer.ts";
import { withoutApi } from "../../hack/src/failover/outage.ts";
import { playRound, type Outcome, type Pace } from "../../hack/src/failover/round.ts";
import { signalPid } from "../../hack/src/lab/processes.ts";
import { lab } from "./lab.ts";

/** Half a second is promised; the rest is for a machine that does other things too. */
const GAP_MILLIS = 1_000;
const PACE: Pace = { calmMillis: 300, faultMillis: 1_200, afterMillis: 1_000 };

const cell: { ground?: Ground; close?: () => Promise<void> } = {};

beforeAll(async () => {
  const { ground, close } = await openGround({
    target: await lab(),
    family: "ipv4",
    signal: new AbortController().signal,
  });
  Object.assign(cell, { ground, close });
});
afterAll(async () => {
  await cell.close?.();
});

const fault = (name: string): Fault => FAULTS.find((one) => one.name === name)!;

/** No client loses the address for long, two nodes do not answer for long, and who was hit takes nothing back. */
function expectCalm({ during, after, hasMoved }: Outcome): void {
  for (const { cold, warm, twoAnswered } of [during, after]) {
    expect(cold).toBeLessThan(GAP_MILLIS);
    expect(warm).toBeLessThan(GAP_MILLIS);
    expect(twoAnswered).toBeLessThan(GAP_MILLIS);
  }
  expect(hasMoved).toBe(false);
}

test.each(["killed", "cut", "cut-silently", "node-gone"])(
  "%s: the next node answers, and goes on when the first is back",
  async (name) => {
    expectCalm(await playRound(cell.ground!, fault(name), PACE));
  },
);

test("frozen: the next node answers, and the first answers nothing of what had been waiting for it", async () => {
  const outcome = await playRound(cell.ground!, fault("frozen"), PACE);
  expectCalm(outcome);
  expect(outcome.wrong).toBe(0);
});

test("stopped in good order: no connection is lost, and the address stays where it went", async () => {
  const outcome = await playRound(cell.ground!, fault("stopped"), PACE);
  expectCalm(outcome);
  expect(outcome.during.failedProbes + outcome.after.failedProbes).toBe(0);
});

test("rolled: no connection is lost", async () => {
  const { during, after } = await playRound(cell.ground!, fault("rolled"), PACE);
  expect(during.failedProbes + after.failedProbes).toBe(0);
  expect(during.cold).toBeLessThan(GAP_MILLIS);
});

test("without API server: the same, and announcers that are started again answer by the plan on their disks", async () => {
  const ground = cell.ground!;
  await withoutApi(ground.target, async () => {
    expectCalm(await playRound(ground, fault("killed"), PACE));
    for (const pid of ground.nodes.flatMap((node) => announcersOn(ground.paths, node))) signalPid(pid, "SIGKILL");
    await readyEverywhere(ground);
    const observer = observe(ground.paths, ground.goal);
    try {
      expect(await observer.anotherThan("", 10_000)).toBeDefined();
    } finally {
      observer.stop();
    }
    const metrics = await ground.target.exec("node-1", "curl", "-s", METRICS_URL);
    expect(metrics).toMatch(/^berth_announcer_plan_from_disk 1$/m);
    const age = Number(/^berth_announcer_plan_age_seconds (\S+)$/m.exec(metrics)?.[1]);
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(3_600);
  });
  // Kubelet shows logs again some moments after the API server is back.
  const pods = ["-l", "app=metallb,component=announcer", "--tail=-1"];
  const used = async (): Promise<readonly unknown[]> => {
    const log = await ground.target.kubectl(["logs", "-n", "metallb-system", ...pods]);
    const lines = log.split("\n").filter((line) => line.includes("the one kept here is used"));
    return lines.map((line) => (JSON.parse(line) as Record<string, unknown>)["age_seconds"]);
  };
  await expect.poll(async () => (await used()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(1);
  for (const age of await used()) expect(age).toBeTypeOf("number");
});
