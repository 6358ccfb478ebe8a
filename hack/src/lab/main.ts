/** `hack/lab`: reads the command line, does it, and puts what went wrong into one sentence. */
import { readFileSync } from "node:fs";
import { machineFirst } from "../shell.ts";
import * as actions from "./actions.ts";
import { parseCommandLine, USAGE, type Command } from "./cli.ts";
import { down } from "./down.ts";
import { withLock } from "./lock.ts";
import { labPaths, type Paths } from "./paths.ts";
import { status } from "./status.ts";
import { up } from "./up.ts";

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Commands that change what the lab consists of; one at a time. */
async function change(paths: Paths, command: Command): Promise<void> {
  switch (command.verb) {
    case "up":
      await up(paths, command.shape, say);
      break;
    case "down":
      await down(paths);
      break;
    case "api":
      await (command.action === "stop" ? actions.stopApi(paths) : actions.startApi(paths));
      break;
    case "expose":
      say(await actions.expose(paths, command.port));
      break;
    default:
      await use(paths, command);
  }
}

type Use = Exclude<Command, { readonly verb: "up" | "down" | "api" | "expose" }>;

async function use(paths: Paths, command: Use): Promise<void> {
  switch (command.verb) {
    case "help":
      process.stdout.write(USAGE);
      break;
    case "status":
      (await status(paths)).forEach(say);
      break;
    case "kubeconfig":
      actions.requireLab(paths);
      say(command.raw ? readFileSync(paths.kubeconfig, "utf8").trimEnd() : paths.kubeconfig);
      break;
    case "exec":
      actions.execIn(paths, command.namespace, command.command);
      break;
    default:
      await disturb(paths, command);
  }
}

type Disturb = Exclude<Use, { readonly verb: "help" | "status" | "kubeconfig" | "exec" }>;

async function disturb(paths: Paths, command: Disturb): Promise<void> {
  switch (command.verb) {
    case "load":
      await actions.load(paths, command.archives);
      break;
    case "cut":
      await actions.cut(paths, command.node, command.bridge, command.silent);
      break;
    case "heal":
      await actions.heal(paths, command.node);
      break;
    case "signal":
      await actions.signalContainer(paths, command.node, command.container, command.signal);
      break;
  }
}

const CHANGES: readonly Command["verb"][] = ["up", "down", "api", "expose"];

/** An error and what caused it, as one sentence. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${explain(error.cause)}`;
}

async function main(): Promise<number> {
  process.env["PATH"] = machineFirst(process.env["PATH"] ?? "");
  const parsed = parseCommandLine(process.argv.slice(2), process.env["BERTH_LAB"] ?? "berth");
  if (!parsed.ok) {
    process.stderr.write(`lab: ${parsed.refusal}\n`);
    return 2;
  }
  const paths = labPaths(parsed.lab, process.env);
  const work = (): Promise<void> => change(paths, parsed.command);
  try {
    await (CHANGES.includes(parsed.command.verb) ? withLock(paths, work) : work());
    return 0;
  } catch (error) {
    process.stderr.write(`lab: ${explain(error)}\n`);
    return 1;
  }
}

process.exit(await main());
