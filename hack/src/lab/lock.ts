/** One change of a lab at a time: a file lock that ends with the process that holds it, however that ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmdirSync, rmSync } from "node:fs";
import type { Paths } from "./paths.ts";

/** Says "held" and holds the lock until its input ends; "busy" when another holds it, or has just removed its file. */
const HOLD = `exec 9>"$1" || exit
if flock --nonblock 9 && [ "$1" -ef /proc/self/fd/9 ]; then echo held; exec cat; else echo busy; fi`;

/** Does `work` while no other process changes this lab; rejects at once when one does. */
export async function withLock<T>(paths: Paths, work: () => Promise<T>): Promise<T> {
  mkdirSync(paths.root, { recursive: true });
  const holder = spawn("sh", ["-c", HOLD, "sh", paths.lock], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(holder, "exit");
  const said = await Promise.race([once(holder.stdout, "data").then(String), ended.then(() => "nothing")]);
  if (said.startsWith("busy")) {
    throw new Error(`lab "${paths.name}" is being changed by another hack/lab; wait for that to end`);
  }
  if (!said.startsWith("held")) throw new Error(`lock file "${paths.lock}" cannot be written; run this as root`);
  try {
    return await work();
  } finally {
    rmSync(paths.lock, { force: true });
    removeWhenEmpty(paths.root);
    holder.stdin.end();
    await ended;
  }
}

function removeWhenEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    return; // this lab or another is still in it
  }
}
