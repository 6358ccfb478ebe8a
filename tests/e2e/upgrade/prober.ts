/**
 * A program for the client's network: asks addresses for their page, 50 times a second and each in turn, over a connection
 * of its own each time. A connection that stood is reset when its address moves to another node, which has never heard of
 * it: then it asks once more, as browsers do, and notes when that was. Tells what went wrong when its standard input is
 * closed. Not a test.
 */
import { get } from "node:http";
import type { Reset } from "./moves.ts";

/** What it prints at its end. */
export type Findings = {
  readonly asked: number;
  /** Connections that stood and were reset, each of which was made anew at once. */
  readonly resets: readonly Reset[];
  readonly failures: readonly string[];
  readonly slowestMillis: number;
};

const INTERVAL_MILLIS = 20;
/** Below the second after which Linux sends a lost SYN again, so that a lost packet is a failure. */
const PATIENCE_MILLIS = 900;

const addresses = process.argv.slice(2);
const failures: string[] = [];
const resets: Reset[] = [];
const cell = { asked: 0, open: 0, slowestMillis: 0 };

function ask(address: string, isAgain = false): void {
  const startedMillis = performance.now();
  const openedMillis = Date.now();
  const at = new Date(openedMillis).toISOString().slice(11, 23);
  cell.open += 1;
  let hasStood = false;
  const fail = (why: string): void => {
    failures.push(`${at} ${address}: ${why}`);
  };
  const request = get({ host: address, agent: false, timeout: PATIENCE_MILLIS }, (response) => {
    if (response.statusCode !== 200) fail(`HTTP ${String(response.statusCode)}`);
    response.resume();
  });
  request.on("socket", (socket) => {
    socket.on("connect", () => {
      hasStood = true;
    });
  });
  request.on("timeout", () => request.destroy(new Error("no answer in time")));
  request.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== "ECONNRESET" || !hasStood || isAgain) {
      fail(isAgain ? `${message}, of a connection made after one that was reset` : message);
      return;
    }
    resets.push({ address, openedMillis, resetMillis: Date.now() });
    ask(address, true);
  });
  request.on("close", () => {
    cell.open -= 1;
    cell.slowestMillis = Math.max(cell.slowestMillis, performance.now() - startedMillis);
  });
}

const beganMillis = performance.now();
const timer = setInterval(() => {
  // A busy machine calls late; what was missed is made up for.
  while (cell.asked * INTERVAL_MILLIS < performance.now() - beganMillis) {
    ask(addresses[cell.asked % addresses.length] ?? "");
    cell.asked += 1;
  }
}, INTERVAL_MILLIS);

process.stdin.resume();
process.stdin.on("end", () => {
  clearInterval(timer);
  setInterval(() => {
    if (cell.open > 0) return;
    const findings: Findings = {
      asked: cell.asked,
      resets,
      failures,
      slowestMillis: Math.round(cell.slowestMillis),
    };
    process.stdout.write(JSON.stringify(findings));
    process.exit();
  }, INTERVAL_MILLIS);
});
