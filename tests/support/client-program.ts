/** A program on the lab's client that watches while something else goes on. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { root, type Target } from "../../hack/src/target.ts";

type Program = ChildProcessByStdio<Writable, Readable, null>;

/**
 * Runs a TypeScript file on the client until the work is done, which it is told by the end of its standard input; what it then
 * prints, as JSON.
 */
export async function onClientDuring<T>(
  target: Target,
  [file, ...args]: readonly [string, ...string[]],
  work: () => Promise<unknown>,
): Promise<T> {
  const inClient = [join(root, "hack/src/lab/main.ts"), "--name", target.name, "exec", "client", "--"];
  const command = [...inClient, process.execPath, file, ...args];
  const child: Program = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
  const said = text(child.stdout);
  try {
    await work();
  } finally {
    child.stdin.end();
    await said;
  }
  return JSON.parse(await said) as T;
}
