/** Whether who installs may do what installing takes, asked of the API server itself. */
import { pick, pickText } from "../lab/json.ts";
import type { Kubectl } from "./kubectl.ts";
import type { JsonObject } from "./object.ts";

type Right = { readonly verb: string; readonly group: string; readonly resource: string; readonly namespace?: string };

/** Where the API server says what who asks may do; whatever else it lets nobody read. */
const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: "networkpolicies",
  ValidatingAdmissionPolicy: "validatingadmissionpolicies",
  PriorityClass: "priorityclasses",
};

/** The plural under which the API server serves a kind. */
export const pluralOf = (kind: string): string => PLURALS[kind] ?? `${kind.toLowerCase()}s`;

/** What is missing, as `VERB RESOURCE`; nothing for an administrator, who is asked once. */
export async function missingRights(kubectl: Kubectl, objects: readonly JsonObject[]): Promise<readonly string[]> {
  if (await may(kubectl, { verb: "*", group: "*", resource: "*" })) return [];
  const needed = rightsFor(objects);
  const answers = await Promise.all(needed.map((right) => may(kubectl, right)));
  return needed.filter((_, index) => answers[index] === false).map(({ verb, resource }) => `${verb} ${resource}`);
}

/** What applying the objects takes: to hand out rights, one must have them, or the right to hand out more. */
export function rightsFor(objects: readonly JsonObject[]): readonly Right[] {
  const kinds = new Map(
    objects.map((object): [string, Omit<Right, "verb">] => {
      const [group, namespace] = [pickText(object, "apiVersion").split("/"), pickText(object, "metadata", "namespace")];
      const resource = pluralOf(pickText(object, "kind"));
      const where = { group: group.length === 1 ? "" : (group[0] ?? ""), resource };
      return [`${resource} ${namespace}`, namespace === "" ? where : { ...where, namespace }];
    }),
  );
  const rbac = { group: "rbac.authorization.k8s.io", resource: "clusterroles" };
  return [
    ...[...kinds.values()].flatMap((kind) => ["create", "patch"].map((verb) => ({ ...kind, verb }))),
    { ...rbac, verb: "escalate" },
    { ...rbac, verb: "bind" },
  ];
}

async function may(kubectl: Kubectl, right: Right): Promise<boolean> {
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: right },
  };
  const answer = await kubectl.run(["create", "--raw", REVIEWS, "-f", "-"], JSON.stringify(review));
  return pick(JSON.parse(answer), "status", "allowed") === true;
}
