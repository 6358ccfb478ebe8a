/** A client of the lab that asks for addresses while something else goes on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Target } from "../../hack/src/target.ts";
import type { Seen } from "./prober.ts";

const here = import.meta.dirname;

/** What the client saw of each target, "address:port", while the work went on. */
export async function seenDuring(
  target: Target,
  targets: readonly string[],
  work: () => Promise<void>,
): Promise<Record<string, Seen>> {
  const main = join(here, "../../hack/src/lab/main.ts");
  const prober = [process.execPath, join(here, "prober.ts"), ...targets];
  const child = spawn(process.execPath, [main, "--name", target.name, "exec", "client", "--", ...prober], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const said: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
  const ended = once(child, "close");
  try {
    await work();
  } finally {
    child.stdin.end();
  }
  await ended;
  return JSON.parse(Buffer.concat(said).toString()) as Record<string, Seen>;
}
