/** Small helpers to run other programs. Decides nothing about the lab. */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A PATH on which the machine's programs come before those of npm packages: npm puts its own first, and one package
 * calls its program "nft".
 */
export function machineFirst(path: string): string {
  const folders = path.split(":");
  const isNpm = (folder: string): boolean => folder.endsWith("node_modules/.bin");
  return [...folders.filter((folder) => !isNpm(folder)), ...folders.filter(isNpm)].join(":");
}

export type RunOptions = {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
};

export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a command to its end, whatever its exit code; rejects only when it cannot be started. */
export function attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on("error", () => undefined); // the command may end before it reads its input
    child.on("error", (cause) => {
      reject(new Error(`start "${command}"`, { cause }));
    });
    child.on("close", (code) => {
      resolve({
        code: code ?? 128,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
    child.stdin.end(options.input ?? "");
  });
}

/**
 * Standard output of a command; rejects with the last lines of its standard error when it exits non-zero. Its cause has more of
 * them: some programs end their reason with a page of headers.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const finished = await attempt(command, args, options);
  if (finished.code === 0) return finished.stdout;
  const said = (finished.stderr.trim() || finished.stdout.trim()).split("\n");
  const cause = said.slice(-80).join("\n");
  const last = said.slice(-4).join("; ");
  throw new Error(`run "${[command, ...args].join(" ")}": exit code ${String(finished.code)}: ${last}`, { cause });
}

/**
 * Waits until `probe` gives a value, asking again every `everyMillis`.
 * Rejects after `withinMillis`, naming `what` was waited for.
 */
export async function until<T>(
  what: string,
  withinMillis: number,
  everyMillis: number,
  probe: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + withinMillis;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) {
      throw new Error(`wait for ${what}: not within ${String(Math.round(withinMillis / 1000))} s`);
    }
    await sleep(everyMillis);
  }
}
