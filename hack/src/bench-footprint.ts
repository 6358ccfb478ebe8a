/** How much memory the announcer has resident, by the number of addresses; without Kubernetes, its plan from a file. */
import { readFileSync } from "node:fs";
import { COUNTS, figures, named, onScene } from "./announcing.ts";

const figure = figures("footprint");

const residentMiB = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1]) / 1024;

const sizes: { readonly count: number; readonly mebibytes: number }[] = [];
for (const count of COUNTS) {
  await onScene(count, async ({ announcer }) => {
    const pid = announcer.child.pid ?? 0;
    const mebibytes = residentMiB(pid);
    figure(named(count), "resident", mebibytes, "MiB");
    await announcer.metrics();
    figure(`${named(count)}, after a scrape`, "resident", residentMiB(pid), "MiB");
    sizes.push({ count, mebibytes });
  });
}
const [first, last] = [sizes[0], sizes.at(-1)];
if (first !== undefined && last !== undefined) {
  const growth = ((last.mebibytes - first.mebibytes) * 1024 * 1024) / (last.count - first.count);
  figure("growth", "resident for each address", growth, "bytes");
}
