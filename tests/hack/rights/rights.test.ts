import { describe, expect, it, test } from "vitest";
import { rightsTable, withRights } from "../../../hack/src/rights/page.ts";
import { printRight, rightsOf, unusedRights, usesOf } from "../../../hack/src/rights/rights.ts";

const rule = { apiGroups: ["", "apps"], resources: ["a", "b/status"], verbs: ["get", "patch"] };

describe("what rules grant", () => {
  it("is every verb on every resource of every group, each once", () => {
    expect(rightsOf([rule, rule]).map(printRight)).toEqual([
      "get a",
      "patch a",
      "get b/status",
      "patch b/status",
      "get a.apps",
      "patch a.apps",
      "get b/status.apps",
      "patch b/status.apps",
    ]);
  });

  it("is tied to each of its names", () => {
    const named = { apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["one", "two"] };
    expect(rightsOf([named]).map(printRight)).toEqual(['get secrets "one"', 'get secrets "two"']);
  });
});

const event = (change: object = {}): string =>
  JSON.stringify({
    stage: "ResponseComplete",
    verb: "patch",
    user: { username: "berth" },
    objectRef: { resource: "leases", apiGroup: "coordination.k8s.io", name: "announcer-node-1" },
    responseStatus: { code: 200 },
    ...change,
  });

describe("what a line of the audit log shows used", () => {
  it.each([200, 403])("is the verb on the object, also of a request that was answered %i", (code) => {
    const use = { user: "berth", verb: "patch", resource: "leases.coordination.k8s.io", name: "announcer-node-1" };
    expect(usesOf(event({ responseStatus: { code } }))).toEqual([use]);
  });

  it("is the right to create too, where a patch has made its object", () => {
    expect(usesOf(event({ responseStatus: { code: 201 } })).map(({ verb }) => verb)).toEqual(["patch", "create"]);
  });

  it("is that of a subresource where one was asked", () => {
    const objectRef = { resource: "services", name: "web", subresource: "status" };
    expect(usesOf(event({ objectRef }))).toMatchObject([{ resource: "services/status" }]);
  });

  test.each([
    ["is cut off", event().slice(0, -9)],
    ["is of a request that is not answered yet", event({ stage: "RequestReceived" })],
    ["is about no resource", event({ objectRef: undefined })],
  ])("is nothing where it %s", (_, line) => {
    expect(usesOf(line)).toEqual([]);
  });
});

test("a right is used by a use of its name, and one of any name by a use of whatever name", () => {
  const rights = rightsOf([
    { apiGroups: [""], resources: ["services"], verbs: ["patch", "list"] },
    { apiGroups: [""], resources: ["secrets"], verbs: ["get"], resourceNames: ["ours", "theirs"] },
  ]);
  const uses = [
    { resource: "services", verb: "patch", name: "web" },
    { resource: "secrets", verb: "get", name: "ours" },
  ];
  expect(unusedRights(rights, uses).map(printRight)).toEqual(["list services", 'get secrets "theirs"']);
});

describe("the page", () => {
  const rules = [{ apiGroups: [""], resources: ["services"], verbs: ["list"] }];

  it("says what each rule is for", () => {
    expect(rightsTable(rules, { services: "reads them" })).toContain("| `services` | list | reads them |");
  });

  it("is not made where a rule has no purpose, or a purpose no rule", () => {
    expect(() => rightsTable(rules, {})).toThrow("no purpose of services");
    expect(() => rightsTable(rules, { services: "reads them", pods: "reads them" })).toThrow("of no rule: pods");
  });

  it("is not made where it has no place for a table", () => {
    expect(() => withRights("# Security\n")).toThrow("has no");
  });
});
