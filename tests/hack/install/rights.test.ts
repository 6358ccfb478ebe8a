import { expect, test } from "vitest";
import { manifests } from "../../../cluster/generated/manifests.ts";
import { toJson } from "../../../hack/src/install/object.ts";
import { pluralOf, rightsFor } from "../../../hack/src/install/rights.ts";

test("each kind is asked for once in each namespace, and the right to hand out rights", () => {
  const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name: "a", namespace: "x" } };
  const rights = rightsFor([
    role,
    { ...role, metadata: { name: "b", namespace: "x" } },
    { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } },
  ]);
  expect(
    rights.map(({ verb, group, resource, namespace = "-" }) => `${verb} ${group}/${resource} ${namespace}`),
  ).toEqual([
    "create rbac.authorization.k8s.io/roles x",
    "patch rbac.authorization.k8s.io/roles x",
    "create /secrets -",
    "patch /secrets -",
    "escalate rbac.authorization.k8s.io/clusterroles -",
    "bind rbac.authorization.k8s.io/clusterroles -",
  ]);
});

test("no kind that is installed has a plural that English makes otherwise", () => {
  const plurals = rightsFor(manifests.map(toJson)).map(({ resource }) => resource);
  expect(plurals.filter((plural) => /(ys|ss)s?$/.test(plural) && !plural.endsWith("classes"))).toEqual([]);
  expect(pluralOf("NetworkPolicy")).toBe("networkpolicies");
});
