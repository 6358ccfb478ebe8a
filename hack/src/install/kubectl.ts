/** The cluster of the current kubectl context, by kubectl itself, so that every way to sign in works. */
import { attempt, type Finished } from "../shell.ts";

/** What a person is told when it does not go on: one sentence that says what to do. */
export class Stop extends Error {}

/** kubectl for one context. */
export type Kubectl = {
  /** Runs it, whatever its exit code. */
  readonly attempt: (args: readonly string[], input?: string) => Promise<Finished>;
  /** What it prints; {@link Stop} with what it says where it exits non-zero. */
  readonly run: (args: readonly string[], input?: string) => Promise<string>;
  /** The objects of a list; none where the cluster does not know the kind. */
  readonly list: (...args: readonly string[]) => Promise<readonly unknown[]>;
};

/** kubectl of the PATH, or as `$KUBECTL` says, in its current context or another one. */
export function kubectlFor(context: string | undefined, environment: NodeJS.ProcessEnv = process.env): Kubectl {
  const [program = "kubectl", ...first] = (environment["KUBECTL"] ?? "kubectl").split(" ");
  const chosen = context === undefined ? [] : ["--context", context];
  const run = (args: readonly string[], input?: string): Promise<Finished> =>
    attempt(program, [...first, ...chosen, ...args], input === undefined ? {} : { input }).catch(() => {
      throw new Stop(`there is no ${program} to run; install kubectl, or name it in KUBECTL`);
    });
  const must = async (args: readonly string[], input?: string): Promise<string> => {
    const finished = await run(args, input);
    if (finished.code !== 0) throw new Stop(lastLine(finished));
    return finished.stdout;
  };
  return {
    attempt: run,
    run: must,
    list: async (...args) => {
      const { code, stdout, stderr } = await run(["get", ...args, "-o", "json"]);
      if (code === 0) return (JSON.parse(stdout) as { readonly items: readonly unknown[] }).items;
      if (stderr.includes("the server doesn't have a resource type")) return [];
      throw new Stop(
        stderr.includes("conversion webhook") ? unconverted(args[0] ?? "", chosen) : lastLine({ code, stdout, stderr }),
      );
    },
  };
}

/** As it stands after a MetalLB that was taken away and has left its kinds. */
const unconverted = (kind: string, context: readonly string[]): string =>
  `${kind} cannot be read, since the webhook that converts its versions does not answer; start what serves it, or if that is gone for good run: ` +
  `${["kubectl", ...context].join(" ")} patch crd ${kind} --type=json -p '[{"op":"replace","path":"/spec/conversion","value":{"strategy":"None"}}]'`;

/** The last thing that kubectl said, without its prefix. */
export const lastLine = ({ stdout, stderr }: Finished): string =>
  ((stderr.trim() || stdout.trim()).split("\n").at(-1) ?? "").replace(/^(error|Error from server[^:]*): /, "");
