/** When another version than this one ran on the lab, whose requests are not this one's; kept on the lab itself. */
import { pick } from "../../hack/src/lab/json.ts";
import type { Target } from "../../hack/src/target.ts";

const NAME = "berth-other-version";

/** Notes that another version ran, or was on its way in or out, from then until now. */
export async function noteOtherVersion({ kubectl, tryKubectl }: Target, from: Date): Promise<void> {
  const metadata = { name: NAME, namespace: "default" };
  const data = { [`from-${String(from.getTime())}`]: `${from.toISOString()}/${new Date().toISOString()}` };
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
  const { code } = await tryKubectl(["create", "-f", "-"], JSON.stringify(object));
  if (code === 0) return;
  await kubectl(["patch", "configmap", NAME, "-n", "default", "-p", JSON.stringify({ data })]);
}

/** Whether one did at that time, RFC 3339 in UTC. */
export async function otherVersionRan({ kubectl, json }: Target): Promise<(at: string) => boolean> {
  const found = await kubectl(["get", "configmap", NAME, "-n", "default", "--ignore-not-found", "-o", "name"]);
  if (found.trim() === "") return () => false;
  const noted = pick(await json(["get", "configmap", NAME, "-n", "default"]), "data") as Record<string, string>;
  const spans = Object.values(noted).map((span) => span.split("/"));
  return (at) => spans.some(([from = "", to = ""]) => from <= at && at <= to);
}
