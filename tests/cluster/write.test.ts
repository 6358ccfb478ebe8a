import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kinds, type Service } from "../../cluster/kinds.ts";
import {
  annotationsFor,
  clearedStatus,
  statusChange,
  writeAnnotations,
  writeEvent,
  writeStatus,
  type Wanted,
} from "../../cluster/write.ts";
import { addressFrom } from "../core/builders.ts";
import { service } from "../support/builders.ts";
import { MemoryStore } from "../support/memory-api.ts";
import { pauseTime, resumeTime } from "../support/paused-time.ts";

beforeEach(() => {
  pauseTime("2026-01-01T12:00:00Z");
});
afterEach(() => {
  resumeTime();
});

const ours = "berth.dev/AddressAssigned";
const isAssigned = { status: "True", reason: "Assigned", message: "10.0.0.1 from somewhere" } as const;
const isWaiting = { status: "False", reason: "PoolsFull", message: "no address is free" } as const;
const assigned: readonly Wanted[] = [{ type: ours, says: isAssigned }];
const waiting: readonly Wanted[] = [{ type: ours, says: isWaiting }];
const addresses = ["10.0.0.1"].map(addressFrom);
const key = { namespace: "default", name: "web" };

const withStatus = (status: object, spec = {}): Service => ({ ...service("default/web", { spec }), status });
const theirs = { type: "example.com/Ready", status: "True", reason: "R", message: "", lastTransitionTime: "then" };
const condition = (status: string, lastTransitionTime = "2026-01-01T11:00:00Z") => ({
  type: ours,
  ...(status === "True" ? isAssigned : isWaiting),
  lastTransitionTime,
});

describe("the status of a Service", () => {
  it("names its addresses as reached through the nodes, and why it has them", () => {
    expect(statusChange(service("default/web"), addresses, assigned)).toEqual({
      loadBalancer: { ingress: [{ ip: "10.0.0.1", ipMode: "VIP" }] },
      conditions: [condition("True", "2026-01-01T12:00:00Z")],
    });
  });

  it("is not written twice", () => {
    const before = withStatus({ loadBalancer: { ingress: [{ ip: "10.0.0.1" }] }, conditions: [condition("True")] });
    expect(statusChange(before, addresses, assigned)).toBeUndefined();
  });

  it.each([
    { what: "the reason", before: { ...condition("True"), reason: "Other" } },
    { what: "the message", before: { ...condition("True"), message: "10.0.0.9 from somewhere" } },
  ])("keeps its time where only $what changes", ({ before }) => {
    const change = statusChange(withStatus({ conditions: [before] }), addresses, assigned);
    expect(change).toMatchObject({ conditions: [condition("True")] });
  });

  it("takes a new time where it changes between having and waiting", () => {
    const change = statusChange(withStatus({ conditions: [condition("True")] }), [], waiting);
    expect(change).toEqual({
      loadBalancer: { ingress: null },
      conditions: [condition("False", "2026-01-01T12:00:00Z")],
    });
  });

  it("loses a condition that is to say nothing any more", () => {
    const says = withStatus({ conditions: [condition("True")], loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } });
    expect(statusChange(says, addresses, [{ type: ours, says: undefined }])).toMatchObject({ conditions: [] });
    expect(statusChange(withStatus({}), [], [{ type: ours, says: undefined }])).toBeUndefined();
  });

  it("keeps the conditions of others", () => {
    const change = statusChange(withStatus({ conditions: [theirs, condition("True")] }), [], waiting);
    expect(change).toMatchObject({ conditions: [theirs, { type: ours, status: "False" }] });
  });

  it("loses what is Berth's and nothing else when Berth serves the Service no longer", () => {
    const former = withStatus({ conditions: [theirs, condition("True")] }, { type: "ClusterIP" });
    expect(clearedStatus(former)).toEqual({ conditions: [theirs], loadBalancer: { ingress: null } });
  });

  it("keeps another load balancer's ingress", () => {
    const spec = { loadBalancerClass: "example.com/other" };
    expect(clearedStatus(withStatus({ conditions: [condition("True")] }, spec))).toEqual({ conditions: [] });
  });

  it.each([
    { what: "a ClusterIP Service", spec: { type: "ClusterIP" } },
    { what: "another load balancer's Service", spec: { loadBalancerClass: "example.com/other" } },
  ])("is left alone where nothing of Berth's stands in it: $what", ({ spec }) => {
    expect(clearedStatus(service("default/web", { spec, status: ["10.0.0.1"] }))).toBeUndefined();
  });
});

describe("a write to a Service", () => {
  it.each<{ what: string; write: (store: MemoryStore, read: Service) => Promise<Service> }>([
    { what: "annotation", write: (store, read) => writeAnnotations(store.client(), read, { a: "b" }) },
    { what: "status", write: (store, read) => writeStatus(store.client(), read, { conditions: [] }) },
  ])("fails where the Service changed since it was read: $what", async ({ write }) => {
    const store = new MemoryStore();
    store.seed(kinds.services, service("default/web"));
    const read = store.get(kinds.services, key) ?? expect.fail();
    store.edit(kinds.services, key, { metadata: { labels: { a: "b" } } });
    await expect(write(store, read)).rejects.toThrow("409 Conflict");
  });

  it("changes its annotations alone, and takes them off", async () => {
    const store = new MemoryStore();
    store.seed(kinds.services, service("default/web", { annotations: { note: "mine" } }));
    const api = store.client();
    const read = store.get(kinds.services, key) ?? expect.fail();
    const written = await writeAnnotations(api, read, annotationsFor(["10.0.0.1", "fd00::1"].map(addressFrom), "lan"));
    expect(written.metadata?.annotations).toEqual({
      note: "mine",
      "berth.dev/addresses": "10.0.0.1,fd00::1",
      "metallb.io/ip-allocated-from-pool": "lan",
    });
    expect((await writeAnnotations(api, written, annotationsFor([], undefined))).metadata?.annotations).toEqual({
      note: "mine",
    });
  });
});

it("an Event names the Service, and says who reports what", async () => {
  const store = new MemoryStore();
  const note = "x".repeat(2_000);
  await writeEvent(store.client(), service("default/web"), { type: "Warning", reason: "AllocationFailed", note });
  expect(store.all(kinds.events)).toMatchObject([
    {
      metadata: { namespace: "default" },
      eventTime: "2026-01-01T12:00:00.000000Z",
      reportingController: "berth.dev/operator",
      action: "Assign",
      regarding: { kind: "Service", name: "web", namespace: "default" },
      type: "Warning",
      reason: "AllocationFailed",
      note: note.slice(0, 1_000),
    },
  ]);
});
