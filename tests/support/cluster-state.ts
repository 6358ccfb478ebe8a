/** How a lab stands, in few lines, for whoever reads of a failed test and has no lab to look at. */
import { pick, pickList, pickText } from "../../hack/src/lab/json.ts";
import type { Target } from "../../hack/src/target.ts";

const NAMESPACE = ["-n", "pepr-system"] as const;
/** How many lines of each answer are told. */
const LINES = 15;

/** Its nodes, the operator's pods, the last Events on them, and the last words of those that are not ready or were started again. */
export async function describeCluster({ tryKubectl }: Target): Promise<string> {
  const ask = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await tryKubectl([...args, "--request-timeout=10s"]);
    return code === 0 ? stdout : stderr;
  };
  const pods = pickList(parsed(await ask("get", "pods", ...NAMESPACE, "-o", "json")), "items");
  const names = pods.filter(isTroubled).map((pod) => pickText(pod, "metadata", "name"));
  const logs = names.flatMap((name) => [
    ["logs", ...NAMESPACE, name],
    ["logs", ...NAMESPACE, name, "--previous"],
  ]);
  const told: string[] = [];
  for (const args of [
    ["get", "nodes"],
    ["get", "pods", ...NAMESPACE, "-o", "wide"],
    ["get", "events", ...NAMESPACE, "--sort-by=.lastTimestamp", "--field-selector=reason!=MissingClusterDNS"],
    ...logs,
  ]) {
    told.push(`$ kubectl ${args.join(" ")}`, ...lastLines(await ask(...args)));
  }
  return told.join("\n");
}

const lastLines = (text: string): readonly string[] => text.trimEnd().split("\n").slice(-LINES);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isTroubled = (pod: unknown): boolean =>
  pickList(pod, "status", "containerStatuses").some(
    (container) => pick(container, "ready") !== true || pick(container, "restartCount") !== 0,
  );
