/** What bootstrap and remove have in common on the terminal: lines, and how they end. */
import { Stop } from "./kubectl.ts";

/** Writes a line. */
export const say = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};

/** What is wrong with how a command was called. */
export class Misuse extends Error {}

/** Runs a command; what stops it is one sentence on standard error, and the exit code is 1, or 2 where it was called wrongly. */
export async function runCommand(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${name}: ${sentence(error)}\n`);
    process.exitCode = error instanceof Misuse || isParseError(error) ? 2 : 1;
  }
}

const isParseError = (error: unknown): boolean =>
  error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = error instanceof Stop || error instanceof Misuse || isParseError(error) || error.cause === undefined;
  return known ? error.message : `${error.message}: ${sentence(error.cause)}`;
}
