/** What the announcers themselves have counted, over all nodes. */
import { inNamespace } from "../lab/network.ts";
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
  return Object.fromEntries(COUNTERS.map((name) => [name, sum(texts.join("\n"), `${PREFIX}${name}`)]));
}

/** The sum of a metric in Prometheus' text over all its labels. */
export function sum(text: string, name: string): number {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
