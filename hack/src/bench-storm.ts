/** What the announcer's processes cost while others ask for addresses that are not its own, beside what they cost without. */
import { setTimeout as sleep } from "node:timers/promises";
import { COUNTS, cpuMillis, figures, named, onScene } from "./announcing.ts";

const figure = figures("storm");

const SECONDS = 20;
const REQUESTS_PER_SECOND = 5_000;

for (const count of COUNTS) {
  await onScene(count, async ({ segment, client, announcer }) => {
    const pid = announcer.child.pid ?? 0;
    const percent = async (act: () => Promise<unknown>): Promise<number> => {
      const [before, start] = [cpuMillis(pid), performance.now()];
      await act();
      return ((cpuMillis(pid) - before) / (performance.now() - start)) * 100;
    };
    const quiet = await percent(() => sleep(SECONDS * 1_000));
    let sent = 0;
    const stormy = await percent(async () => {
      const said = await segment.client(client, "flood", String(REQUESTS_PER_SECOND), String(SECONDS));
      sent = (JSON.parse(said) as { sent: number }).sent;
    });
    figure(`quiet, ${named(count)}`, "cpu", quiet, "% of a core");
    figure(`storm, ${named(count)}`, "cpu", stormy, "% of a core");
    figure(`storm, ${named(count)}`, "rate", sent / SECONDS, "requests/s");
    const passed = await announcer.metric("berth_announcer_silences_total");
    figure(`storm, ${named(count)}`, "reached the announcer", passed, "requests");
  });
}
