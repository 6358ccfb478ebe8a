/** Keeps the nodes busy with programs beside their pods, as many on each as there are processors. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { makeCgroupBeside, shareProcessors } from "../lab/cgroups.ts";
import { joining } from "../lab/processes.ts";
import type { Ground } from "./ground.ts";

/** The load. */
export type Load = {
  /** Ends it. */
  readonly stop: () => void;
  /** Share of all processors' time that was used since it began, by anyone, until it was stopped. */
  readonly busyShare: () => number;
};

/** Computes without end; ends by itself when nobody holds the other end of its input any more, however its parent has ended. */
const SPIN = "trap 'kill $!' EXIT; (while :; do :; done) & read -r _";

/** Starts the load. Until it ends, the lab counts for what the pods of its nodes count for on machines like this one. */
export function keepBusy({ paths, nodes }: Ground): Load {
  shareProcessors(nodes.length * availableParallelism());
  const spinners = nodes.flatMap((node) => {
    const command = joining(makeCgroupBeside(paths, node, "busy"), ["bash", "-c", SPIN]);
    return Array.from({ length: availableParallelism() }, () =>
      spawn("sh", command, { stdio: ["pipe", "ignore", "ignore"] }),
    );
  });
  const start = processorTimes();
  let end: Times | undefined;
  return {
    stop: () => {
      end = processorTimes();
      for (const spinner of spinners) spinner.stdin.end();
      shareProcessors();
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
