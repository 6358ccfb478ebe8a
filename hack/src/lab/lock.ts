/** One change of a lab at a time: a file lock that ends with the process that holds it, however that ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import type { Paths } from "./paths.ts";

/** Holds the lock until its input ends; refuses when another holds it, or when the file was removed meanwhile. */
const HOLD = `exec 9>"$1" && flock --nonblock 9 && [ "$1" -ef /proc/self/fd/9 ] && echo held && cat`;

/** Does `work` while no other process changes this lab; rejects at once when one does. */
export async function withLock<T>(paths: Paths, work: () => Promise<T>): Promise<T> {
  mkdirSync(paths.root, { recursive: true });
  const holder = spawn("sh", ["-c", HOLD, "sh", paths.lock], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = once(holder, "exit");
  const held = await Promise.race([once(holder.stdout, "data"), ended.then(() => undefined)]);
  if (held === undefined) {
    throw new Error(`lab "${paths.name}" is being changed by another hack/lab; wait for that to end`);
  }
  try {
    return await work();
  } finally {
    rmSync(paths.lock, { force: true });
    holder.stdin.end();
    await ended;
  }
}
