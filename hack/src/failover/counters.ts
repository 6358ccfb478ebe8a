/** What the announcers themselves have counted, over all nodes. */
import { inNamespace } from "../lab/network.ts";
import { sumOf } from "../metrics-text.ts";
import { run } from "../shell.ts";
import { METRICS_URL, type Ground } from "./ground.ts";

const PREFIX = "berth_announcer_";
const COUNTERS = [
  "takeovers_total",
  "yields_total",
  "fences_total",
  "hellos_lost_total",
  "socket_drops_total",
] as const;

/** Each counter's sum over its labels and all nodes. */
export async function counted({ paths, nodes }: Ground): Promise<Readonly<Record<string, number>>> {
  const texts = await Promise.all(
    nodes.map((node) => {
      const [program = "", ...args] = inNamespace(paths, node, ["curl", "-sf", "-m", "5", METRICS_URL]);
      return run(program, args);
    }),
  );
  return Object.fromEntries(COUNTERS.map((name) => [name, sumOf(texts.join("\n"), `${PREFIX}${name}`)]));
}
