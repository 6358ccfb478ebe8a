/** How long an ARP request waits for its reply: from the announcer, and from the kernel for the node's own address. */
import { COUNTS, figures, lastAddress, named, onScene, quantile } from "./announcing.ts";

const figure = figures("arp");

/** The two take turns, so that whatever else the machine does falls on both. */
const ROUNDS = 10;
const REQUESTS = 300;

for (const count of COUNTS) {
  await onScene(count, async ({ segment, client, node }) => {
    const measure = async (ip: string): Promise<readonly number[]> => {
      const said = await segment.client(client, "latency", ip, String(REQUESTS));
      return (JSON.parse(said) as { micros: number[] }).micros;
    };
    const [own, announced]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      own.push(...(await measure(node.ip)));
      announced.push(...(await measure(lastAddress(count))));
    }
    const sorted = { kernel: own.toSorted((a, b) => a - b), announcer: announced.toSorted((a, b) => a - b) };
    for (const [stat, share] of [
      ["p50", 0.5],
      ["p99", 0.99],
    ] as const) {
      const [kernel, announcer] = [quantile(sorted.kernel, share), quantile(sorted.announcer, share)];
      figure(`kernel, ${named(count)}`, stat, kernel, "µs");
      figure(`announcer, ${named(count)}`, stat, announcer, "µs");
      figure(`announcer / kernel, ${named(count)}`, stat, announcer / kernel, "times");
    }
    figure(`announcer, ${named(count)}`, "lost", ROUNDS * REQUESTS - announced.length, "requests");
  });
}
