/** The lab of the failover benches: one of its own, or a borrowed one; and an end to them that cleans up. */
import { bringUpLab, deploy } from "../product.ts";
import { targetLab, type Target } from "../target.ts";
import type { Family } from "./ground.ts";

const NODES = 3;

/** Runs work on a lab that is brought up for it and taken down afterwards; with BERTH_LAB_READY on the lab BERTH_LAB, which stays. */
export async function onLab(
  name: string,
  { signal, family }: { readonly signal: AbortSignal; readonly family: Family },
  work: (target: Target) => Promise<void>,
): Promise<void> {
  const target = await targetLab(process.env["BERTH_LAB"] ?? name);
  const isBorrowed = process.env["BERTH_LAB_READY"] !== undefined;
  try {
    if (!isBorrowed) {
      await bringUpLab(target, ["--nodes", String(NODES), ...(family === "ipv6" ? ["--ipv6"] : [])]);
      await deploy(target);
    }
    signal.throwIfAborted();
    await work(target);
  } finally {
    if (!isBorrowed) await target.lab("down");
  }
}

/**
 * Runs work that ends early, by its signal, when it takes too long or the program is told to stop; then nothing is left
 * of it either.
 */
export async function bounded(withinMillis: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const ending = new AbortController();
  const end = (why: string) => (): void => {
    ending.abort(new Error(why));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, end(`stopped by ${signal}`));
  const timer = setTimeout(end(`not done within ${String(withinMillis / 1_000)} s`), withinMillis);
  try {
    await work(ending.signal);
  } catch (error) {
    if (!ending.signal.aborted) throw error;
    console.error(ending.signal.reason instanceof Error ? ending.signal.reason.message : "stopped");
    process.exitCode = 1;
  } finally {
    clearTimeout(timer);
  }
}
