/** One lab as the demo and the end-to-end tests use it: its kubectl, its namespaces, its images. */
import { join } from "node:path";
import { kubernetesBinaries } from "./lab/binaries.ts";
import { labPaths } from "./lab/paths.ts";
import { attempt, run, type Finished } from "./shell.ts";

/** The root of the checkout. */
export const root = join(import.meta.dirname, "../..");
const LAB = join(import.meta.dirname, "lab/main.ts");

/** A lab by its name; all commands reject when they fail, unless they say otherwise. */
export type Target = {
  readonly name: string;
  readonly kubeconfig: string;
  /** `hack/lab` with these arguments. */
  readonly lab: (...args: readonly string[]) => Promise<string>;
  /** kubectl with these arguments, and standard input. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
  /** kubectl, whatever its exit code. */
  readonly tryKubectl: (args: readonly string[], input?: string) => Promise<Finished>;
  /** kubectl's answer as JSON. */
  readonly json: (args: readonly string[], input?: string) => Promise<unknown>;
  /** A command in one of the lab's namespaces. */
  readonly exec: (namespace: string, ...command: readonly string[]) => Promise<string>;
  /** A command in one of the lab's namespaces, whatever its exit code. */
  readonly tryExec: (namespace: string, ...command: readonly string[]) => Promise<Finished>;
};

/** The lab called `name`, which need not be up yet. */
export async function targetLab(name: string): Promise<Target> {
  const paths = labPaths(name, process.env);
  const { kubectl } = await kubernetesBinaries(paths.cache);
  const env = { KUBECONFIG: paths.kubeconfig };
  const labArgs = (args: readonly string[]): string[] => [LAB, "--name", name, ...args];
  const withInput = (input: string | undefined): { env: typeof env; input?: string } =>
    input === undefined ? { env } : { env, input };
  return {
    name,
    kubeconfig: paths.kubeconfig,
    lab: (...args) => run(process.execPath, labArgs(args)),
    kubectl: (args, input) => run(kubectl, args, withInput(input)),
    tryKubectl: (args, input) => attempt(kubectl, args, withInput(input)),
    json: async (args, input) => {
      const answer: unknown = JSON.parse(await run(kubectl, [...args, "-o", "json"], withInput(input)));
      return answer;
    },
    exec: (namespace, ...command) => run(process.execPath, labArgs(["exec", namespace, "--", ...command])),
    tryExec: (namespace, ...command) => attempt(process.execPath, labArgs(["exec", namespace, "--", ...command])),
  };
}
