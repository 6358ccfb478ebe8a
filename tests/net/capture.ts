/** Watches a host's interface with libpcap, through the addon `cap`, from a process inside the host's namespace. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { parseJson } from "../../cluster/wire.ts";
import type { Host } from "../../hack/src/segment.ts";
import { readFrame, type Frame } from "./frames.ts";

/** What a capture has seen so far, and the end of it. */
export type Capture = {
  readonly seen: readonly Frame[];
  /** The frames of one kind that were seen since there were so many. */
  readonly since: <K extends Frame["kind"]>(count: number, kind: K) => readonly Extract<Frame, { kind: K }>[];
  readonly stop: () => void;
};

/** Begins to capture ARP, NDP and hellos on the host's lan0; resolves when it listens. */
export const capture = ({ namespace }: Host): Promise<Capture> => captureWithin(["ip", "netns", "exec", namespace]);

/** The same in the namespace that this command line, put before another one, runs it in. */
export function captureWithin([enter = "", ...args]: readonly string[]): Promise<Capture> {
  const program = join(import.meta.dirname, "sniff.ts");
  const child = spawn(enter, [...args, process.execPath, program, "lan0"], { stdio: ["ignore", "pipe", "inherit"] });
  const seen: Frame[] = [];
  const stop = (): void => {
    child.kill("SIGKILL");
  };
  const since: Capture["since"] = (count, kind) =>
    seen.slice(count).filter((frame): frame is Extract<Frame, { kind: typeof kind }> => frame.kind === kind);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", () => {
      reject(new Error("the capture ended"));
    });
    createInterface(child.stdout).on("line", (line) => {
      if (line === "listening") {
        resolve({ seen, since, stop });
        return;
      }
      const { millis, hex } = parseJson<{ millis: number; hex: string }>(line);
      const frame = readFrame(millis, Buffer.from(hex, "hex"));
      if (frame !== undefined) seen.push(frame);
    });
  });
}
