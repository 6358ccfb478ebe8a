/**
 * How long an ARP request waits for its reply: from the announcer, from the kernel for the node's own address, and from
 * the least program that can answer at all. The kernel answers before the client's own system call has ended; whatever is
 * a program has to be woken first, and the client again.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COUNTS, figures, lastAddress, named, onScene, quantile } from "./announcing.ts";
import { run, until } from "./shell.ts";

const figure = figures("arp");

/** All take turns, so that whatever else the machine does falls on each of them. */
const ROUNDS = 10;
const REQUESTS = 300;

/** Of the same network, and nobody's. */
const ECHO_ADDRESS = "10.254.0.1";

const NAMES = ["kernel", "least program", "announcer"] as const;

const folder = mkdtempSync(join(tmpdir(), "berth-arp-"));
const echo = join(folder, "arp-echo");
try {
  await run("cc", ["-O2", "-o", echo, join(import.meta.dirname, "arp-echo.c")]);
  for (const count of COUNTS) await measure(count);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(count: number): Promise<void> {
  const micros: Record<(typeof NAMES)[number], number[]> = { kernel: [], "least program": [], announcer: [] };
  await onScene(count, async ({ segment, client, node }) => {
    const ask = async (name: (typeof NAMES)[number], ip: string): Promise<void> => {
      const said = await segment.client(client, "latency", ip, String(REQUESTS));
      micros[name].push(...(JSON.parse(said) as { micros: number[] }).micros);
    };
    for (let round = 0; round < ROUNDS; round++) {
      await ask("kernel", node.ip);
      // Only for its own turns: its filter would stand before the announcer's otherwise.
      const child = spawn("ip", ["netns", "exec", node.namespace, echo, "lan0", ECHO_ADDRESS], { stdio: "inherit" });
      const ended = once(child, "exit");
      try {
        await until("an answer of the least program", 5_000, 20, async () => {
          const { replies } = await segment.watch(client, ECHO_ADDRESS, 0.05, 10);
          return replies.length > 0 ? true : undefined;
        });
        await ask("least program", ECHO_ADDRESS);
      } finally {
        child.kill("SIGKILL");
        await ended;
      }
      await ask("announcer", lastAddress(count));
    }
  });
  for (const name of NAMES) micros[name].sort((a, b) => a - b);
  for (const [stat, share] of [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const) {
    const kernel = quantile(micros.kernel, share);
    for (const name of NAMES) figure(`${name}, ${named(count)}`, stat, quantile(micros[name], share), "µs");
    for (const name of ["least program", "announcer"] as const)
      figure(`${name} / kernel, ${named(count)}`, stat, quantile(micros[name], share) / kernel, "times");
  }
  figure(`announcer, ${named(count)}`, "lost", ROUNDS * REQUESTS - micros.announcer.length, "requests");
}
