/** Taking Berth out of what stays: Services, pools, claims, and the namespaces that others may use. */
import { keys } from "../../../core/keys.ts";
import { pick, pickList, pickText } from "../lab/json.ts";
import { heldBy, type Held } from "./cluster-facts.ts";
import { lastLine, Stop, type Kubectl } from "./kubectl.ts";
import { NAME } from "./pepr-objects.ts";

/** Whether the addresses stay in the status of Services. */
export type Addresses = "keep" | "drop";

/** How many Services are written at a time. */
const AT_ONCE = 8;

const OURS = "berth.dev/";

/** The Services that Berth gave addresses, with what they hold. */
export async function servedBy(kubectl: Kubectl): Promise<readonly (Held & { readonly object: unknown })[]> {
  const services = await kubectl.list("services", "-A");
  return services.filter((service) => hasTrace(service)).map((object) => ({ ...heldBy(object), object }));
}

/** Whether Berth has written on the object. */
export const hasTrace = (object: unknown): boolean =>
  pickText(object, "metadata", "annotations", keys.addresses) !== "" || conditionsOf(object).some(isOurs);

const conditionsOf = (object: unknown): readonly unknown[] => pickList(object, "status", "conditions");
const isOurs = (condition: unknown): boolean => pickText(condition, "type").startsWith(OURS);

/** What to write on a Service so that nothing on it is Berth's, its metadata and its status; a merge patch each (RFC 7396). */
export function cleansing(
  service: unknown,
  addresses: Addresses,
): { readonly metadata: object; readonly status: object } {
  const annotations = { [keys.addresses]: null, [keys.fromPool]: null };
  const conditions = conditionsOf(service).filter((condition) => !isOurs(condition));
  const status = addresses === "keep" ? { conditions } : { conditions, loadBalancer: { ingress: null } };
  return { metadata: { metadata: { annotations } }, status: { status } };
}

/** Cleanses all Services; {@link Stop} when one could not be written, after all others were. */
export async function cleanseServices(kubectl: Kubectl, addresses: Addresses): Promise<number> {
  const served = await servedBy(kubectl);
  const failed: string[] = [];
  const rest = [...served];
  const worker = async (): Promise<void> => {
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      const { metadata, status } = cleansing(next.object, addresses);
      const fault =
        (await patch(kubectl, next.object, metadata)) ?? (await patch(kubectl, next.object, status, "status"));
      if (fault !== undefined) failed.push(`Service ${next.service}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failed.length > 0)
    throw new Stop(
      `${failed[0] ?? ""}${failed.length > 1 ? ` (and ${String(failed.length - 1)} more)` : ""}; run hack/remove again`,
    );
  return served.length;
}

/** The kinds of `metallb.io` that people write. */
const WRITTEN = ["ipaddresspools", "l2advertisements", "bgppeers", "bgpadvertisements", "bfdprofiles", "communities"];

/** What people have written of these kinds, in all namespaces or in one; each kind by itself, since not every cluster has all. */
export async function writtenObjects(kubectl: Kubectl, ...where: readonly string[]): Promise<readonly unknown[]> {
  return (await Promise.all(WRITTEN.map((plural) => kubectl.list(`${plural}.metallb.io`, ...where)))).flat();
}

/** How many objects of which kind, as `IPAddressPool (2), BGPPeer (1)`. */
export function countByKind(objects: readonly unknown[]): string {
  const kinds = Map.groupBy(objects, (object) => pickText(object, "kind"));
  return [...kinds].map(([kind, all]) => `${kind} (${String(all.length)})`).join(", ");
}

/** Takes the conditions off pools and advertisements. */
export async function cleansePools(kubectl: Kubectl): Promise<void> {
  for (const kind of ["ipaddresspools.metallb.io", "l2advertisements.metallb.io"]) {
    for (const object of await kubectl.list(kind, "-A")) {
      const conditions = conditionsOf(object).filter((condition) => !isOurs(condition));
      if (hasTrace(object)) await patch(kubectl, object, { status: { conditions } }, "status");
    }
  }
}

async function patch(
  kubectl: Kubectl,
  object: unknown,
  change: object,
  subresource?: "status",
): Promise<string | undefined> {
  const [kind, name] = [pickText(object, "kind").toLowerCase(), pickText(object, "metadata", "name")];
  const where = ["-n", pickText(object, "metadata", "namespace"), "--type=merge", "-p", JSON.stringify(change)];
  const below = subresource === undefined ? [] : [`--subresource=${subresource}`];
  const finished = await kubectl.attempt(["patch", kind, name, ...where, ...below]);
  return finished.code === 0 || finished.stderr.includes("NotFound") ? undefined : lastLine(finished);
}

/** What in a namespace is not Berth's, nor made by Kubernetes for each namespace; with this in it, the namespace stays. */
export async function othersIn(kubectl: Kubectl, namespace: string): Promise<readonly string[]> {
  const kinds = [
    "deployments",
    "daemonsets",
    "statefulsets",
    "services",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
  ];
  const [builtIn, written] = await Promise.all([
    kubectl.list(kinds.join(","), "-n", namespace),
    writtenObjects(kubectl, "-n", namespace),
  ]);
  return foreignAmong(builtIn, written).map(
    (object) => `${pickText(object, "kind")} ${pickText(object, "metadata", "name")}`,
  );
}

/** Those that stay: of Kubernetes' own kinds what does not bear a name of Berth's, and all that people have written. */
export const foreignAmong = (builtIn: readonly unknown[], written: readonly unknown[]): readonly unknown[] =>
  [...builtIn.filter((object) => !isOurName(pickText(object, "metadata", "name"))), ...written].filter(
    (object) => pick(object, "metadata", "deletionTimestamp") === undefined,
  );

const OUR_NAMES: readonly string[] = ["kube-root-ca.crt", keys.helloSecret, keys.servingSecret, "announcer"];
const isOurName = (name: string): boolean => name.startsWith(NAME) || OUR_NAMES.includes(name);
