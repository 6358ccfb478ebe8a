/** The two observers on the lab's client (`observe.py`), and someone for them to reach. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pickNumber, pickText } from "../lab/json.ts";
import { inNamespace } from "../lab/network.ts";
import type { Paths } from "../lab/paths.ts";
import { until } from "../shell.ts";
import type { Seen } from "./reckoning.ts";

const PROGRAM = join(import.meta.dirname, "../observe.py");
/** How often both observers ask. */
const EVERY_MILLIS = 5;

/** Whom the observers ask. */
export type Goal = { readonly address: string; readonly port: number };

/** Observers at work. */
export type Observer = {
  /** The MAC address that answered last; empty while none has. */
  readonly answerer: () => string;
  /** Waits until another MAC address than this one answers; which, or undefined where none does in time. */
  readonly anotherThan: (mac: string, withinMillis: number) => Promise<string | undefined>;
  /** Ends them, and gives what they saw. */
  readonly finish: () => Promise<Seen>;
  /** Ends them, whatever they saw. */
  readonly stop: () => void;
};

function start(paths: Paths, namespace: string, words: readonly string[]): ChildProcess {
  const [program = "", ...args] = inNamespace(paths, namespace, ["python3", "-B", PROGRAM, ...words]);
  return spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
}

/** Starts the observers on the client. */
export function observe(paths: Paths, { address, port }: Goal): Observer {
  const child = start(paths, "client", ["watch", "lan0", address, String(port), String(EVERY_MILLIS)]);
  let [answerer, seen] = ["", undefined as Seen | undefined];
  if (child.stdout === null) throw new Error("the observers' output is not there");
  const lines = createInterface(child.stdout);
  lines.on("line", (line) => {
    const said: unknown = JSON.parse(line);
    if (pickNumber(said, "millis") === undefined) seen = parseSeen(said);
    else answerer = pickText(said, "answers");
  });
  const closed = once(lines, "close");
  return {
    answerer: () => answerer,
    anotherThan: (mac, withinMillis) =>
      until("another answer", withinMillis, 5, () =>
        answerer === mac || answerer === "" ? undefined : answerer,
      ).catch(() => undefined),
    finish: async () => {
      child.stdin?.end();
      await closed;
      if (seen === undefined) throw new Error("the observers ended without a word");
      return seen;
    },
    stop: () => child.kill("SIGKILL"),
  };
}

/** The observers' last words; they are our own program, so their shape is not checked further. */
const parseSeen = (said: unknown): Seen | undefined => (isSeen(said) ? said : undefined);
const isSeen = (said: unknown): said is Seen =>
  typeof said === "object" && said !== null && "probes" in said && "replies" in said && "late" in said;

/** Starts a server in the control plane's namespace that closes each connection; resolves once it listens. */
export async function serve(paths: Paths, port: number): Promise<() => void> {
  const child = start(paths, "control", ["serve", String(port)]);
  if (child.stdout === null) throw new Error("the server's output is not there");
  const ended = once(child, "exit").then(() => {
    throw new Error(`the server on port ${String(port)} ended`);
  });
  await Promise.race([once(child.stdout, "data"), ended]);
  ended.catch(() => undefined);
  return () => child.kill("SIGKILL");
}
