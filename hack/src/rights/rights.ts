/** Rights as RBAC grants them and as the audit log of an API server shows them used. Pure. */
import { pickNumber, pickText } from "../lab/json.ts";

/** A rule of a Role or ClusterRole. */
export type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
};

/** The smallest thing that can be granted: one verb on one resource, of one name or, where there is none, of any. */
export type Right = { readonly resource: string; readonly verb: string; readonly name: string | undefined };

/** A request that the API server has answered, whether it was allowed or not. */
export type Use = Right & { readonly user: string };

const qualified = (group: string, resource: string): string => (group === "" ? resource : `${resource}.${group}`);

/** Everything that rules grant. */
export function rightsOf(rules: readonly Rule[]): readonly Right[] {
  const rights = rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [undefined] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) => resourceNames.map((name) => ({ resource: qualified(group, resource), verb, name }))),
      ),
    ),
  );
  return [...new Map(rights.map((right) => [printRight(right), right])).values()];
}

/** Such as `patch leases.coordination.k8s.io "announcer-node-1"`. */
export const printRight = ({ resource, verb, name }: Right): string =>
  `${verb} ${resource}${name === undefined ? "" : ` "${name}"`}`;

const CREATED = 201;

/** What one line of the log shows to be used; a patch that has made its object needed the right to create it too. */
export function usesOf(line: string): readonly Use[] {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return []; // cut off: the API server is writing it
  }
  const [verb, plural] = [pickText(event, "verb"), pickText(event, "objectRef", "resource")];
  if (plural === "" || pickText(event, "stage") === "RequestReceived") return [];
  const subresource = pickText(event, "objectRef", "subresource");
  const use = {
    user: pickText(event, "user", "username"),
    resource: qualified(
      pickText(event, "objectRef", "apiGroup"),
      subresource === "" ? plural : `${plural}/${subresource}`,
    ),
    verb,
    name: pickText(event, "objectRef", "name"),
  };
  const hasCreated = verb === "patch" && pickNumber(event, "responseStatus", "code") === CREATED;
  return hasCreated ? [use, { ...use, verb: "create" }] : [use];
}

/** The rights that no use needed. */
export function unusedRights(granted: readonly Right[], uses: readonly Right[]): readonly Right[] {
  const used = new Set(uses.flatMap((use) => [printRight(use), printRight({ ...use, name: undefined })]));
  return granted.filter((right) => !used.has(printRight(right)));
}
