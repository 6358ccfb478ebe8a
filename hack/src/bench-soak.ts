/**
 * Ten minutes in which nothing fails, while all nodes are kept busy: counts what clients lose, and every takeover, which
 * none needed. On a lab of its own, or with BERTH_LAB_READY on the one that BERTH_LAB names.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { reporting } from "./bench/report.ts";
import { counted } from "./failover/counters.ts";
import { onGround, type Ground } from "./failover/ground.ts";
import { bounded, onLab } from "./failover/lab.ts";
import { keepBusy } from "./failover/load.ts";
import { observe } from "./failover/observer.ts";
import { changesOf, experienceOf } from "./failover/reckoning.ts";

const USAGE = "usage: hack/bench soak [--seconds N]";
const SET_UP_MILLIS = 600_000;
const MAX_SECONDS = 3_600;
/** How long the observers see an idle machine first, to begin from a calm one. */
const CALM_MILLIS = 2_000;

async function soak(ground: Ground, seconds: number): Promise<void> {
  const report = reporting("soak", { seconds });
  const before = await counted(ground);
  const observer = observe(ground.paths, ground.goal);
  try {
    await observer.anotherThan("", 10_000);
    await sleep(CALM_MILLIS, undefined, { signal: ground.signal });
    const load = keepBusy(ground);
    const fromMillis = Date.now();
    try {
      await sleep(seconds * 1_000, undefined, { signal: ground.signal });
    } finally {
      load.stop();
    }
    const toMillis = Date.now();
    const seen = await observer.finish();
    const { warm, cold, twoAnswered, failedProbes, late } = experienceOf(seen, { from: fromMillis, to: toMillis });
    report("processors busy", { mean: load.busyShare() * 100 }, "%");
    report("probes", { sum: seen.probes.length, failed: failedProbes }, "probes");
    report("longest without an answer", { warm, cold, observersLate: late }, "ms");
    report("two answered", { sum: twoAnswered }, "ms");
    report("answering node changed", { sum: changesOf(seen) }, "times");
    const after = await counted(ground);
    for (const [name, value] of Object.entries(after)) report(name, { sum: value - (before[name] ?? 0) }, "times");
  } finally {
    observer.stop();
  }
}

const { values } = parseArgs({ options: { seconds: { type: "string", default: "600" } } });
const seconds = Number(values.seconds);
if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_SECONDS) {
  console.error(USAGE);
  process.exit(2);
}
await bounded(SET_UP_MILLIS + seconds * 1_000, async (signal) => {
  const family = "ipv4";
  await onLab("soak", { signal, family }, (target) =>
    onGround({ target, family, signal }, (ground) => soak(ground, seconds)),
  );
});
