/** The Leases of a node: their names, and the operator's part of them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { leaseName, placeOf, writePlan } from "../../cluster/leases.ts";
import { keys } from "../../core/keys.ts";
import { MemoryStore } from "../support/memory-api.ts";

describe("the name of a Lease", () => {
  const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,5}[a-z0-9])?$/);
  const nodeName = fc.oneof(
    fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join(".")),
    fc.constantFrom("x", "x-1", "1.x", "announcer-x", "announcer.1.x", "2.1.x"),
  );
  const place = fc.record({ node: nodeName, shard: fc.nat({ max: 30 }) });
  const placed = (name: string) => placeOf({ metadata: { namespace: keys.namespace, name } });

  it("tells the node and the number, so that no two have one name", () => {
    fc.assert(
      fc.property(place, (one) => {
        expect(placed(leaseName(one))).toEqual(one);
        expect(leaseName(one)).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      }),
    );
  });

  it.each(["speaker", "announcer", "announcer.x", "announcer.0.x", "announcer.01.x", "announcer.1.", "announcer.1"])(
    "%s is none of Berth's",
    (name) => {
      expect(placed(name)).toBeUndefined();
    },
  );

  it("counts in Berth's namespace only", () => {
    expect(placeOf({ metadata: { namespace: "default", name: "announcer-x" } })).toBeUndefined();
  });
});

it("a further Lease has the number as a label", async () => {
  const lease = await writePlan(new MemoryStore().client(), { node: "node-1", shard: 2 }, "plan");
  expect(lease.metadata).toMatchObject({
    name: "announcer.2.node-1",
    labels: { "berth.dev/node": "node-1", "berth.dev/shard": "2" },
  });
});

describe("a node's Lease", () => {
  const announcers = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "metallb-system", name: "announcer-node-1", annotations: { "berth.dev/status": "{}" } },
    spec: { holderIdentity: "announcer-abc", leaseDurationSeconds: 40 },
  };
  const announcer = { fieldManager: "berth-announcer" };
  const both = {
    metadata: {
      labels: { "app.kubernetes.io/managed-by": "berth", app: "metallb", "berth.dev/node": "node-1" },
      annotations: { "berth.dev/status": "{}", "berth.dev/plan": "plan" },
    },
    spec: { holderIdentity: "announcer-abc", leaseDurationSeconds: 40 },
  };

  it.each<{ rule: string; first: "operator" | "announcer" }>([
    { rule: "has both owners' fields when the operator is first", first: "operator" },
    { rule: "has both owners' fields when the announcer is first", first: "announcer" },
  ])("$rule", async ({ first }) => {
    const api = new MemoryStore().client();
    if (first === "announcer") await api.apply(kinds.leases, announcers, announcer);
    await writePlan(api, { node: "node-1", shard: 0 }, "plan");
    const lease = await api.apply(kinds.leases, announcers, announcer);
    expect(lease).toMatchObject(both);
    expect(await writePlan(api, { node: "node-1", shard: 0 }, "plan")).toMatchObject(both);
  });

  it("goes without the label of a node whose name no label can hold", async () => {
    const name = "n".repeat(64);
    const lease = await writePlan(new MemoryStore().client(), { node: name, shard: 0 }, "plan");
    expect(lease.metadata?.labels).not.toHaveProperty("berth.dev/node");
  });
});
