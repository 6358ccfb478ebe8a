import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Api } from "../../cluster/api.ts";
import type { IPAddressPool } from "../../cluster/crd.ts";
import { kinds, type IPAddress } from "../../cluster/kinds.ts";
import { lab, labApi } from "./lab.ts";
import { Person, poolOf, sharersOf, wish } from "./people.ts";

const cell: { someone?: Person; neighbour?: Person; api?: Api } = {};
const someone = (): Person => cell.someone!;
const says = (name: string, rest: string): string => `Service "changes/${name}" ${rest}`;

const RENUMBER = { "berth.dev/allow-renumbering": "true" };
const POOLS = ["from", "to", "full", "shrunk", "renamed", "cool", "party"] as const;

beforeAll(async () => {
  const target = await lab();
  cell.api = await labApi();
  [cell.someone, cell.neighbour] = [new Person(target, "changes"), new Person(target, "neighbours")];
  for (const name of ["changes", "neighbours"]) await target.kubectl(["create", "namespace", name]);
  await someone().put(poolOf("from", ["10.97.0.0/28"]));
  await someone().put(poolOf("to", ["10.97.1.0/28"]));
  await someone().put(poolOf("full", ["10.97.2.1/32"]));
  await someone().apply("fills", { annotations: wish.pool("full") });
});

afterAll(async () => {
  const { kubectl } = someone().target;
  await kubectl(["delete", "namespace", "changes", "neighbours"]);
  for (const pool of POOLS) {
    const name = ["ipaddresspool", pool, "-n", "metallb-system"];
    await kubectl(["annotate", "--overwrite", ...name, "berth.dev/allow-renumbering=true"]);
    await kubectl(["delete", ...name]);
  }
});

describe("a Service that changes", () => {
  const moved = (from: string, to: string): string =>
    says("web", `moves from ${from} to ${to}; clients that know the old address have to learn the new one`);

  test("goes where its pool annotation says, and keeps the address without one", async () => {
    expect((await someone().apply("web", { annotations: wish.pool("from") })).address).toBe("10.97.0.0");
    const other = await someone().apply("web", { annotations: wish.pool("to") });
    expect([other.address, ...other.warnings]).toEqual(["10.97.1.0", moved("10.97.0.0", "10.97.1.0")]);
    expect((await someone().apply("web")).address).toBe("10.97.1.0");
  });

  test("goes where its pin says, and keeps the address without one", async () => {
    expect((await someone().apply("web", { annotations: wish.pin("10.97.1.9") })).address).toBe("10.97.1.9");
    expect((await someone().apply("web")).address).toBe("10.97.1.9");
    await someone().waitFor("web");
    expect(await someone().conditionOf("web")).toBe('Assigned: 10.97.1.9 from IPAddressPool "metallb-system/to"');
  });

  test.each([
    ["a pool that is full", wish.pool("full"), "gets an address as soon as one is free: "],
    ["a pool that does not exist", wish.pool("nowhere"), 'asks for the pool "nowhere", which does not exist; '],
    ["an address outside every pool", wish.pin("203.0.113.9"), "asks for 203.0.113.9, which is outside every pool: "],
    ["what another one holds", wish.pin("10.97.2.1"), 'asks for 10.97.2.1, which Service "changes/fills" holds; '],
  ])("to %s is denied and nothing of it changes", async (_, annotations, sentence) => {
    const before = await cell.api!.get(kinds.services, { namespace: "changes", name: "web" });
    expect(await someone().denied("web", { annotations })).toContain(says("web", sentence));
    const after = await cell.api!.get(kinds.services, { namespace: "changes", name: "web" });
    expect(after).toEqual(before);
  });

  test("to ClusterIP gives its address up, and back gets one in the answer", async () => {
    const { service } = await someone().apply("web", {
      spec: { type: "ClusterIP", allocateLoadBalancerNodePorts: null },
    });
    expect(service.metadata?.annotations?.["berth.dev/addresses"]).toBeUndefined();
    await expect.poll(() => someone().conditionOf("web"), { timeout: 20_000 }).toBe(": ");
    const back = await someone().apply("web", { annotations: wish.pool("from") });
    expect(back.address).toMatch(/^10\.97\.0\./);
    await someone().waitFor("web");
  });
});

describe("a pool that changes", () => {
  test("is not shrunk while Services would lose addresses, and names them", async () => {
    await someone().put(poolOf("shrunk", ["10.97.3.0/28"]));
    await someone().apply("last", { annotations: { ...wish.pool("shrunk"), ...wish.pin("10.97.3.15") } });
    expect(await someone().putDenied(poolOf("shrunk", ["10.97.3.0/29"]))).toBe(
      'IPAddressPool "metallb-system/shrunk" would lose 10.97.3.15 (Service "changes/last"), which is in use; keep the addresses in a pool, move the Services first, or set the annotation berth.dev/allow-renumbering: "true" on it to have them renumbered',
    );
    expect(await someone().refused("delete", "ipaddresspool", "shrunk", "-n", "metallb-system")).toContain(
      'would lose 10.97.3.15 (Service "changes/last"), which is in use; ',
    );
  });

  test("with berth.dev/allow-renumbering is shrunk, and its Services get other addresses", async () => {
    await someone().apply("last", { annotations: wish.pool("shrunk") });
    await someone().put(poolOf("shrunk", ["10.97.3.0/29"], RENUMBER));
    await expect.poll(() => someone().addressOf("last"), { timeout: 30_000 }).toBe("10.97.3.0");
    await someone().waitFor("last");
  });

  test("with berth.dev/allow-renumbering is deleted, and its Service is told why it has no address", async () => {
    await someone().target.kubectl(["delete", "ipaddresspool", "shrunk", "-n", "metallb-system"]);
    await someone().waitFor("last", "False");
    expect(await someone().conditionOf("last")).toContain(
      'UnknownPool: Service "changes/last" asks for the pool "shrunk"',
    );
    const reasons = async () => (await someone().eventsOf("last")).map((event) => event.split(":")[0]);
    await expect
      .poll(reasons, { timeout: 20_000 })
      .toEqual(expect.arrayContaining(["Normal ClearAssignment", "Warning AllocationFailed"]));
    await someone().put(poolOf("shrunk", ["10.97.3.0/29"]));
    await someone().waitFor("last");
  });

  test("by being renamed leaves every address where it is", async () => {
    await someone().put(poolOf("oldname", ["10.97.4.0/28"], RENUMBER));
    const annotations = wish.pin("10.97.4.5");
    await someone().apply("steady", { annotations });
    await someone().waitFor("steady");
    await cell.api!.remove(kinds.pools, { namespace: "metallb-system", name: "oldname" }, {});
    await cell.api!.create(kinds.pools, poolOf("renamed", ["10.97.4.0/28"]) as IPAddressPool);
    const pool = async () =>
      (await cell.api!.get(kinds.services, { namespace: "changes", name: "steady" }))?.metadata?.annotations?.[
        "metallb.io/ip-allocated-from-pool"
      ];
    await expect.poll(pool, { timeout: 30_000 }).toBe("renamed");
    expect(await someone().addressOf("steady")).toBe("10.97.4.5");
    expect((await someone().eventsOf("steady")).map((event) => event.split(":")[0])).not.toContain(
      "Normal ClearAssignment",
    );
  });
});

test("an address that was given up rests for the pool's cool-down, but for the Service that had it", async () => {
  await someone().put(poolOf("cool", ["10.97.5.0/28"], { "berth.dev/cool-down": "10m" }));
  const annotations = wish.pin("10.97.5.1");
  await someone().apply("warm", { annotations });
  await someone().delete("warm");
  const resting =
    'asks for 10.97.5.1, which rests since Service "changes/warm" gave it up (annotation berth.dev/cool-down of its pool); ';
  await expect
    .poll(() => someone().denied("heir", { annotations }), { timeout: 30_000 })
    .toContain(says("heir", resting));
  expect((await someone().apply("warm", { annotations })).address).toBe("10.97.5.1");
  await someone().delete("warm");
  await someone().put(poolOf("cool", ["10.97.5.0/28"], { "berth.dev/cool-down": "1s" }));
  const heir = JSON.stringify(someone().service("heir", { annotations }));
  await expect
    .poll(async () => (await someone().target.tryKubectl(["apply", "-f", "-"], heir)).code, { timeout: 30_000 })
    .toBe(0);
});

describe("an address that is shared", () => {
  const party = (port: number, more: Record<string, unknown> = {}) => ({
    annotations: { ...wish.pool("party"), ...wish.share("dns") },
    spec: { ports: [{ port }], ...more },
  });

  beforeAll(async () => {
    await someone().put(poolOf("party", ["10.97.6.0/28"]));
    await someone().apply("alone", { annotations: wish.pool("party") });
    await someone().apply("host", party(53));
  });

  test("is what a Service with the same key is given, and lists all of them", async () => {
    expect((await someone().apply("guest", party(80))).address).toBe("10.97.6.1");
    const claim = await cell.api!.get(kinds.claims, { name: "10.97.6.1" });
    expect(claim === undefined ? [] : sharersOf(claim)).toEqual(["changes/host", "changes/guest"]);
  });

  const pinned = wish.pin("10.97.6.1");
  const holds = (why: string): string =>
    says(
      "crasher",
      `asks for 10.97.6.1, which Service "changes/host" holds${why}; ask for a free one such as 10.97.6.2, or remove the annotation to be given one`,
    );
  test.each([
    ["a port that is taken", { ...wish.share("dns") }, { ports: [{ port: 53 }] }, "both use TCP/53"],
    [
      "another key",
      { ...wish.share("web") },
      { ports: [{ port: 81 }] },
      'its annotation metallb.io/allow-shared-ip says "dns"',
    ],
    [
      "another backend",
      { ...wish.share("dns") },
      { ports: [{ port: 81 }], externalTrafficPolicy: "Local", selector: { app: "x" } },
      "their externalTrafficPolicy, or with Local their selector, differs",
    ],
  ])("is denied to a Service with %s", async (_, annotations, spec, why) => {
    const said = await someone().denied("crasher", { annotations: { ...pinned, ...annotations }, spec });
    expect(said).toBe(holds(` and does not share with it: ${why}`));
  });

  test("is denied to a Service without a key", async () => {
    expect(await someone().denied("crasher", { annotations: pinned, spec: { ports: [{ port: 81 }] } })).toBe(holds(""));
  });

  test("is denied to another namespace, until the pool consents", async () => {
    const wished = { annotations: { ...pinned, ...wish.share("dns") }, spec: { ports: [{ port: 81 }] } };
    expect(await cell.neighbour!.denied("web", wished)).toContain(
      'which Service "changes/host" holds and does not share with it: it is in another namespace, and the pool has no annotation berth.dev/cross-namespace-sharing: "true"',
    );
    await someone().put(poolOf("party", ["10.97.6.0/28"], { "berth.dev/cross-namespace-sharing": "true" }));
    await expect
      .poll(async () => (await cell.neighbour!.apply("web", wished).catch(() => undefined))?.address, {
        timeout: 20_000,
      })
      .toBe("10.97.6.1");
  });

  test("is not to be had by a change of what a sharer shares by, which changes nothing", async () => {
    expect(
      await someone().denied("guest", { ...party(53), annotations: { ...pinned, ...wish.share("dns") } }),
    ).toContain(
      says(
        "guest",
        'asks for 10.97.6.1, which Service "changes/host" holds and does not share with it: both use TCP/53',
      ),
    );
    expect(await someone().addressOf("guest")).toBe("10.97.6.1");
  });

  test("is never free between, when the first of its Services goes", async () => {
    const { resourceVersion } = await cell.api!.list(kinds.claims);
    const end = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      const events = cell.api!.watch<IPAddress>(kinds.claims, { resourceVersion, signal: end.signal });
      for await (const { type, object } of events) if (object.metadata?.name === "10.97.6.1") seen.push(type);
    })().catch(() => undefined);
    await someone().delete("host");
    const left = async () => {
      const claim = await cell.api!.get(kinds.claims, { name: "10.97.6.1" });
      return claim === undefined ? [] : sharersOf(claim);
    };
    await expect.poll(left, { timeout: 90_000, interval: 500 }).toEqual(["changes/guest", "neighbours/web"]);
    end.abort();
    await watching;
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set(["MODIFIED"]));
    expect(await someone().addressOf("guest")).toBe("10.97.6.1");
  });
});
