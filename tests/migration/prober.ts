/**
 * A client that has never heard of the addresses: asks for each of them by ARP anew, connects and fetches a page, ten times a
 * second each. On standard input's end it prints, for each, the longest time between two pages that it got.
 */
import { spawn } from "node:child_process";
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const EVERY_MILLIS = 100;
/** After so long a probe has failed; the next one asks by ARP again at once. */
const PATIENCE_MILLIS = 400;

/** What one address was seen to do. */
export type Seen = {
  readonly got: number;
  readonly missed: number;
  readonly longestGapMillis: number;
  /** When the longest gap ended, after the start. */
  readonly gapEndMillis: number;
};

const [, , ...targets] = process.argv;
const neighbours = spawn("ip", ["-force", "-batch", "-"], { stdio: ["pipe", "ignore", "ignore"] });
const state = { isOver: false };

function fetchPage(target: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`http://${target}/`, { agent: false, timeout: PATIENCE_MILLIS }, (response) => {
      response.resume();
      response.on("end", () => {
        resolve(response.statusCode === 200);
      });
    });
    const limit = setTimeout(() => request.destroy(new Error("too late")), PATIENCE_MILLIS);
    request.on("error", () => {
      resolve(false);
    });
    request.on("close", () => {
      clearTimeout(limit);
    });
  });
}

async function watch(target: string): Promise<readonly [string, Seen]> {
  const [address = ""] = target.split(":");
  const firstMillis = performance.now();
  let [got, missed, longestGapMillis, gapEndMillis, lastMillis] = [0, 0, 0, 0, firstMillis];
  const measure = (): void => {
    const nowMillis = performance.now();
    if (nowMillis - lastMillis <= longestGapMillis) return;
    longestGapMillis = Math.round(nowMillis - lastMillis);
    gapEndMillis = Math.round(nowMillis - firstMillis);
  };
  while (!state.isOver) {
    const startedMillis = performance.now();
    neighbours.stdin.write(`neigh flush to ${address} dev lan0\n`);
    if (await fetchPage(target)) {
      got += 1;
      measure();
      lastMillis = performance.now();
    } else {
      missed += 1;
    }
    await sleep(Math.max(0, startedMillis + EVERY_MILLIS - performance.now()));
  }
  measure();
  return [target, { got, missed, longestGapMillis, gapEndMillis }];
}

process.stdin.resume();
process.stdin.on("end", () => {
  state.isOver = true;
});
const seen = await Promise.all(targets.map(watch));
neighbours.stdin.end();
process.stdout.write(JSON.stringify(Object.fromEntries(seen)));
