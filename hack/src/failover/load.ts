/** Keeps every processor busy, at the priority of ordinary programs, until it is told to stop or its parent ends. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** The load. */
export type Load = {
  /** Ends it. */
  readonly stop: () => void;
  /** Share of all processors' time that was used since it began, by anyone, until it was stopped. */
  readonly busyShare: () => number;
};

/** Ends by itself when its parent is gone, however that ended: then nobody holds the other end of its input. */
const SPIN = "trap 'kill $!' EXIT; (while :; do :; done) & read -r _";

/** Starts one program for each processor that computes without end. */
export function keepBusy(): Load {
  const spinners = Array.from({ length: availableParallelism() }, () =>
    spawn("bash", ["-c", SPIN], { stdio: ["pipe", "ignore", "ignore"] }),
  );
  const start = processorTimes();
  let end: Times | undefined;
  return {
    stop: () => {
      end = processorTimes();
      for (const spinner of spinners) spinner.stdin.end();
    },
    busyShare: () => {
      const { idle, all } = end ?? processorTimes();
      return 1 - (idle - start.idle) / Math.max(1, all - start.all);
    },
  };
}

type Times = { readonly idle: number; readonly all: number };

/** Time of all processors so far, in clock ticks (proc(5), /proc/stat, first line: the fourth and fifth figure are idle). */
function processorTimes(): Times {
  const [first = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const figures = first.split(/\s+/).slice(1, 9).map(Number);
  return { idle: (figures[3] ?? 0) + (figures[4] ?? 0), all: figures.reduce((sum, figure) => sum + figure, 0) };
}
