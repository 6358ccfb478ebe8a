/** What is known of a claim, and by whose clock. */
import { describe, expect, it, test } from "vitest";
import type { ServiceName } from "../../core/allocation/holder.ts";
import { printSharers } from "../../core/allocation/sharers-text.ts";
import { keys } from "../../core/keys.ts";
import { History } from "../../cluster/history.ts";
import { keyOf, type ApiObject, type IPAddress, type Service } from "../../cluster/kinds.ts";
import { claim, service, type ServiceParts } from "../support/builders.ts";

const at = <T extends ApiObject>(object: T, resourceVersion: string): T => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});
const web = service("default/web", { addresses: "10.0.0.1" });
const claimAt = (revision: string): IPAddress => at(claim("10.0.0.1", "default/web"), revision);

/** The claim of several Services, each with the turn in which it took the address up. */
const sharedAt = (revision: string, turns: Readonly<Record<string, number>>, resting?: string): IPAddress => {
  const terms = [{ key: "k", ports: [], backend: "cluster" }];
  const sharers = Object.entries(turns).map(([name, turn]) => ({ namespace: "default", name, turn, terms }));
  const one = claimAt(revision);
  const annotations = {
    [keys.claimSharers]: printSharers(sharers),
    ...(resting === undefined ? {} : { [keys.claimRestingSince]: resting }),
  };
  return { ...one, metadata: { ...one.metadata, annotations } };
};

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

const [webName, dbName] = ["web", "db"].map((name) => ({ namespace: "default", name })) as [ServiceName, ServiceName];

describe("a claim", () => {
  it("is known since it last changed", () => {
    const { clock, history, claimed } = observed();
    claimed(claimAt("5"));
    clock.millis = 700;
    claimed(claimAt("6"));
    clock.millis = 1_000;
    expect(history.stateOf(claimAt("6"), webName, undefined).knownMillis).toBe(300);
  });

  it("that was never heard of is as new as can be", () => {
    expect(observed().history.stateOf(claimAt("5"), webName, undefined)).toEqual({
      service: "absent",
      isSettled: false,
      knownMillis: 0,
    });
  });

  it.each([
    { rule: "is settled by a later write to its Service", revision: "6", isSettled: true },
    { rule: "is not settled by an earlier one, since a request may be on its way", revision: "4", isSettled: false },
  ])("$rule", ({ revision, isSettled }) => {
    const stored = at(service("default/web"), revision);
    expect(observed().history.stateOf(claimAt("5"), webName, stored).isSettled).toBe(isSettled);
  });
});

describe("a Service's part in a shared claim", () => {
  it("is as old as it was when others come, leave and change", () => {
    const { clock, history, claimed, deleted } = observed();
    claimed(sharedAt("5", { web: 1, db: 2 }));
    clock.millis = 10_000;
    deleted(web, "6");
    clock.millis = 10_500;
    claimed(sharedAt("7", { web: 1, db: 3, other: 4 }));
    clock.millis = 11_500;
    const now = sharedAt("8", { web: 1 });
    claimed(now);
    clock.millis = 11_700;
    expect(history.stateOf(now, webName, undefined)).toEqual({
      service: "absent",
      isSettled: true,
      knownMillis: 1_700,
    });
  });

  it("is new when the Service takes it up, so that a request on its way keeps it", () => {
    const { clock, history, claimed, deleted } = observed();
    claimed(sharedAt("5", { web: 1, db: 2 }));
    deleted(web, "6");
    clock.millis = 1_000;
    const now = sharedAt("7", { web: 3, db: 2 });
    claimed(now);
    clock.millis = 1_700;
    expect(history.stateOf(now, webName, undefined)).toEqual({
      service: "absent",
      isSettled: false,
      knownMillis: 700,
    });
  });

  it("is new when it begins to rest", () => {
    const { clock, history, claimed } = observed();
    claimed(sharedAt("5", { web: 1 }));
    clock.millis = 1_000;
    const now = sharedAt("6", { web: 1 }, "2026-01-01T00:00:00Z");
    claimed(now);
    clock.millis = 1_700;
    expect(history.stateOf(now, webName, undefined).knownMillis).toBe(700);
  });
});

describe("a deletion", () => {
  it.each([
    { rule: "after the claim was written settles it", revision: "6", isSettled: true },
    {
      rule: "before the claim was written does not, since a new Service may be on its way",
      revision: "4",
      isSettled: false,
    },
    { rule: "that only a list shows does not, since it tells no revision", revision: "", isSettled: false },
  ])("$rule", ({ revision, isSettled }) => {
    const { clock, history, claimed, deleted } = observed();
    claimed(claimAt("5"));
    clock.millis = 500;
    deleted(web, revision);
    clock.millis = 1_500;
    expect(history.stateOf(claimAt("5"), webName, undefined)).toEqual({
      service: "absent",
      isSettled,
      knownMillis: isSettled ? 1_000 : 1_500,
    });
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
    expect(history.stateOf(claimAt("5"), webName, undefined).isSettled).toBe(false);
    expect(history.stateOf(at(claim("10.0.0.2", "default/db"), "5"), dbName, undefined).isSettled).toBe(true);
  });
});

it("a Service that takes an address off its list has left it since then", () => {
  const { clock, history, claimed } = observed();
  claimed(claimAt("5"));
  clock.millis = 10_000;
  const after = at(service("default/web", { addresses: "10.0.0.2" }), "6");
  history.onService({ key: keyOf(web), before: web, after, resourceVersion: "6" });
  clock.millis = 10_500;
  expect(history.stateOf(claimAt("5"), webName, after)).toEqual({
    service: "other",
    isSettled: true,
    knownMillis: 500,
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
  expect(history.stateOf(claimAt("5"), webName, service("default/web", parts)).service).toBe(standing);
});
