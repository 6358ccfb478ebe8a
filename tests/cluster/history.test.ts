/** What is known of a claim, and by whose clock. */
import { describe, expect, it, test } from "vitest";
import { History } from "../../cluster/history.ts";
import { keyOf, type ApiObject, type IPAddress, type Service } from "../../cluster/kinds.ts";
import { claim, service, type ServiceParts } from "../support/builders.ts";

const at = <T extends ApiObject>(object: T, resourceVersion: string): T => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});
const web = service("default/web", { addresses: "10.0.0.1" });
const claimAt = (revision: string): IPAddress => at(claim("10.0.0.1", "default/web"), revision);

/** A history, its clock, and the two things that it hears of. */
function observed() {
  const clock = { millis: 0 };
  const history = new History(() => clock.millis);
  const claimed = (after: IPAddress): void => {
    history.onClaim({ key: keyOf(after), before: undefined, after, resourceVersion: "" });
  };
  const deleted = (before: Service, resourceVersion: string): void => {
    history.onService({ key: keyOf(before), before, after: undefined, resourceVersion });
  };
  return { clock, history, claimed, deleted };
}

describe("a claim", () => {
  it("is known since it last changed", () => {
    const { clock, history, claimed } = observed();
    claimed(claimAt("5"));
    clock.millis = 700;
    claimed(claimAt("6"));
    clock.millis = 1_000;
    expect(history.stateOf(claimAt("6"), undefined).knownMillis).toBe(300);
  });

  it("that was never heard of is as new as can be", () => {
    expect(observed().history.stateOf(claimAt("5"), undefined)).toEqual({
      service: "absent",
      deletedMillisAgo: undefined,
      knownMillis: 0,
    });
  });
});

describe("a deletion", () => {
  it.each([
    { rule: "after the claim was written counts", revision: "6", ago: 1_000 },
    {
      rule: "before the claim was written does not count, since a new Service may be on its way",
      revision: "4",
      ago: undefined,
    },
    { rule: "that only a list shows does not count, since it tells no revision", revision: "", ago: undefined },
  ])("$rule", ({ revision, ago }) => {
    const { clock, history, deleted } = observed();
    deleted(web, revision);
    clock.millis = 1_000;
    expect(history.stateOf(claimAt("5"), undefined).deletedMillisAgo).toBe(ago);
  });

  it("is forgotten after two minutes, whatever names were deleted again since", () => {
    const { clock, history, deleted } = observed();
    const db = service("default/db");
    deleted(db, "6");
    deleted(web, "7");
    clock.millis = 100_000;
    deleted(db, "8");
    clock.millis = 130_000;
    deleted(service("default/other"), "9");
    expect(history.stateOf(claimAt("5"), undefined).deletedMillisAgo).toBeUndefined();
    expect(history.stateOf(at(claim("10.0.0.2", "default/db"), "5"), undefined).deletedMillisAgo).toBe(30_000);
  });
});

test.each<{ what: string; parts: ServiceParts; standing: string }>([
  { what: "lists the address", parts: { addresses: "10.0.0.1" }, standing: "lists" },
  { what: "lists the address among others", parts: { addresses: "10.0.0.1,fd00::1" }, standing: "lists" },
  { what: "lists another", parts: { addresses: "10.0.0.2" }, standing: "other" },
  { what: "lists none", parts: {}, standing: "other" },
  { what: "is no LoadBalancer", parts: { addresses: "10.0.0.1", spec: { type: "ClusterIP" } }, standing: "other" },
])("a Service that $what stands to the claim as $standing", ({ parts, standing }) => {
  const { history } = observed();
  expect(history.stateOf(claimAt("5"), service("default/web", parts)).service).toBe(standing);
});
