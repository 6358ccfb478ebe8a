/** What the benches of the announcer share: one node with so many addresses, a client, and how figures are printed. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Segment, type Announcer, type Host } from "./segment.ts";
import { until } from "./shell.ts";

/** The numbers of addresses that are measured. */
export const COUNTS = [1, 1_000, 5_000] as const;

/** A segment on which one announcer answers for `count` addresses from 10.0.0.0 on. */
export type Scene = {
  readonly segment: Segment;
  readonly client: Host;
  readonly node: Host;
  readonly announcer: Announcer;
};

const address = (index: number): string => `10.0.${String(index >> 8)}.${String(index & 255)}`;

/** The last address of a scene with so many. */
export const lastAddress = (count: number): string => address(count - 1);

/** Runs something on a scene, once its announcer answers for the last address and has announced all of them. */
export async function onScene(count: number, act: (scene: Scene) => Promise<void>): Promise<void> {
  const segment = new Segment();
  try {
    await segment.open();
    const client = await segment.host("client", "10.255.0.50/8");
    const node = await segment.host("node", "10.255.0.11/8");
    const vips = Array.from({ length: count }, (_, index) => ({ ip: address(index), nodes: [node.namespace] }));
    const announcer = await segment.announce(node, vips, { logLevel: "info" });
    await until(`${String(count)} addresses answered`, 30_000, 200, async () =>
      (await segment.watch(client, lastAddress(count), 0.3, 50)).replies.length > 0 ? true : undefined,
    );
    await sleep(7_000); // until the rounds of announcements are over
    await act({ segment, client, node, announcer });
  } finally {
    await segment.close();
  }
}

/** Prints the figures of one bench, each as one line of JSON. */
export const figures =
  (bench: string) =>
  (name: string, stat: string, value: number, unit: string): void => {
    const rounded = Number(value.toPrecision(4));
    const date = new Date().toISOString().slice(0, 10);
    console.log(JSON.stringify({ bench, case: name, stat, value: rounded, unit, date }));
  };

/** How long a process has had a processor so far, all its threads together, in milliseconds (`schedstat`). */
export function cpuMillis(pid: number): number {
  const folder = `/proc/${String(pid)}/task`;
  const nanos = readdirSync(folder).map((task) =>
    Number(readFileSync(`${folder}/${task}/schedstat`, "utf8").split(" ")[0]),
  );
  return nanos.reduce((total, part) => total + part, 0) / 1_000_000;
}

/** The value at a share of an ascending list. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** The count as people write it. */
export const named = (count: number): string =>
  `${count.toLocaleString("en")} ${count === 1 ? "address" : "addresses"}`;
