/** The rules of sharing an address, row by row, on objects: who comes in, who leaves, and what changes meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, test } from "vitest";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds, type World } from "../support/world.ts";

const worlds = useWorlds();

type Parts = {
  readonly share?: string | undefined;
  readonly pin?: string;
  readonly ports?: readonly string[];
  readonly local?: Record<string, string>;
  readonly spec?: Record<string, unknown>;
};

const portsOf = (ports: readonly string[]) =>
  ports.map((text) => {
    const [protocol = "", port = ""] = text.split("/");
    return { name: text.toLowerCase().replace("/", "-"), protocol, port: Number(port) };
  });

/** A Service that shares under the key "k" unless told otherwise; `local` is the selector of one with Local. */
function sharer(key: string, { share = "k", pin, ports = ["TCP/80"], local, spec = {} }: Parts = {}): Service {
  const annotations = { ...(share === "" ? {} : { [keys.shareNew]: share }) };
  const policy = local === undefined ? {} : { externalTrafficPolicy: "Local", selector: local };
  const parts = { annotations, spec: { ports: portsOf(ports), ...policy, ...spec } };
  return service(key, pin === undefined ? parts : { ...parts, pin });
}

const lan = pool("lan", ["10.0.0.1-10.0.0.9"]);
const consenting = pool(
  "lan",
  ["10.0.0.1-10.0.0.9"],
  {},
  { annotations: { [keys.poolCrossNamespaceSharing]: "true" } },
);
const [a, b, c] = ["default/a", "default/b", "default/c"] as const;

async function openWith(services: readonly Service[], pools = [lan]): Promise<World> {
  const world = await worlds.open({ pools });
  for (const one of services) await world.create(kinds.services, one);
  await pass(100);
  return world;
}

const shareAs = (key: string | null): object => ({ metadata: { annotations: { [keys.shareNew]: key } } });

describe("two Services", () => {
  test.each<{ row: string; first: Service; second: Service; share: boolean; pools?: (typeof lan)[] }>([
    { row: "of one key and other ports", first: sharer(a), second: sharer(b, { ports: ["TCP/443"] }), share: true },
    {
      row: "of one port in two protocols",
      first: sharer(a, { ports: ["TCP/53"] }),
      second: sharer(b, { ports: ["UDP/53"] }),
      share: true,
    },
    {
      row: "with a port in common",
      first: sharer(a),
      second: sharer(b, { ports: ["TCP/443", "TCP/80"] }),
      share: false,
    },
    { row: "of two keys", first: sharer(a), second: sharer(b, { share: "other", ports: ["TCP/443"] }), share: false },
    {
      row: "of which the first has no key",
      first: sharer(a, { share: "" }),
      second: sharer(b, { ports: ["TCP/443"] }),
      share: false,
    },
    {
      row: "of which the second has no key",
      first: sharer(a),
      second: sharer(b, { share: "", ports: ["TCP/443"] }),
      share: false,
    },
    {
      row: "with Local and one selector",
      first: sharer(a, { local: { app: "x", tier: "y" } }),
      second: sharer(b, { local: { tier: "y", app: "x" }, ports: ["TCP/443"] }),
      share: true,
    },
    {
      row: "with Local and two selectors",
      first: sharer(a, { local: { app: "x" } }),
      second: sharer(b, { local: { app: "y" }, ports: ["TCP/443"] }),
      share: false,
    },
    {
      row: "with Local and no selector",
      first: sharer(a, { local: {} }),
      second: sharer(b, { local: {}, ports: ["TCP/443"] }),
      share: true,
    },
    {
      row: "with Cluster and with Local",
      first: sharer(a),
      second: sharer(b, { local: { app: "x" }, ports: ["TCP/443"] }),
      share: false,
    },
    {
      row: "with Cluster and with Local without a selector",
      first: sharer(a),
      second: sharer(b, { local: {}, ports: ["TCP/443"] }),
      share: false,
    },
    { row: "of two namespaces", first: sharer(a), second: sharer("other/b", { ports: ["TCP/443"] }), share: false },
    {
      row: "of two namespaces and a pool that consents",
      first: sharer(a),
      second: sharer("other/b", { ports: ["TCP/443"] }),
      share: true,
      pools: [consenting],
    },
    {
      row: "of two namespaces with Local and a pool that consents",
      first: sharer(a, { local: { app: "x" } }),
      second: sharer("other/b", { local: { app: "x" }, ports: ["TCP/443"] }),
      share: false,
      pools: [consenting],
    },
    {
      row: "with keys of odd characters",
      first: sharer(a, { share: ' "k"\\,\u0000ä/\n' }),
      second: sharer(b, { share: ' "k"\\,\u0000ä/\n', ports: ["TCP/443"] }),
      share: true,
    },
    {
      row: "with keys that differ in a blank",
      first: sharer(a),
      second: sharer(b, { share: "k ", ports: ["TCP/443"] }),
      share: false,
    },
    { row: "without ports", first: sharer(a, { ports: [] }), second: sharer(b, { ports: [] }), share: true },
  ])("$row: share $share", async ({ first, second, share, pools = [lan] }) => {
    const world = await openWith([first, second], pools);
    const [one, other] = world.store.all(kinds.services).map(({ metadata }) => metadata?.annotations?.[keys.addresses]);
    expect(one === other).toBe(share);
    expect([one, other]).not.toContain(undefined);
    const pinned = { ...second, metadata: { ...second.metadata, name: "pinned" } };
    pinned.metadata.annotations = { ...pinned.metadata.annotations, [keys.pinNew]: "10.0.0.1" };
    await world.delete(kinds.services, `${second.metadata?.namespace ?? ""}/b`);
    await pass(70_000);
    expect((await world.create(kinds.services, pinned)).denied === undefined).toBe(share);
  });
});

it("any number of Services share an address, as long as their ports differ", async () => {
  const many = Array.from({ length: 60 }, (_, index) =>
    sharer(`default/s${String(index)}`, { ports: [`TCP/${String(index + 1)}`] }),
  );
  const world = await openWith(many);
  expect(new Set(many.map(({ metadata }) => world.annotationOf(`default/${metadata?.name ?? ""}`)))).toEqual(
    new Set(["10.0.0.1"]),
  );
  for (const { metadata } of many.slice(0, 59)) await world.delete(kinds.services, `default/${metadata?.name ?? ""}`);
  await pass(130_000);
  expect(world.claims()).toEqual(["10.0.0.1 default/s59"]);
});

it("a Service that takes a key is joined at once, though the watcher still looked at it as it was before", async () => {
  let isLate = false;
  const world = await worlds.open(
    { pools: [pool("lan", ["10.0.0.1-10.0.0.9"])] },
    {
      hook: (process) => async (call, run) => {
        const isHeard = isLate && process === "watcher" && call.verb === "watch event";
        if (isHeard) await sleep(call.plural === kinds.services.plural ? 500 : 100);
        return run();
      },
    },
  );
  await world.create(kinds.services, service("default/a"));
  await pass(1_000);
  isLate = true;
  await world.change(kinds.services, "default/a", { metadata: { annotations: { [keys.shareNew]: "k" } } });
  await pass(2_000);
  const b = service("default/b", { annotations: { [keys.shareNew]: "k" }, spec: { ports: [{ port: 443 }] } });
  await world.create(kinds.services, b);
  expect(world.annotationOf("default/b")).toBe("10.0.0.1");
});

describe("a Service that shares", () => {
  it("prefers an address that carries its key to the lowest free one", async () => {
    const world = await openWith([
      sharer(a, { pin: "10.0.0.5" }),
      sharer(b, { ports: ["TCP/443"] }),
      sharer(c, { share: "", ports: ["TCP/443"] }),
    ]);
    expect([a, b, c].map((key) => world.annotationOf(key))).toEqual(["10.0.0.5", "10.0.0.5", "10.0.0.1"]);
  });

  it("that is the only one changes key, ports, selector and policy in place", async () => {
    const world = await openWith([sharer(a)]);
    const changes = [
      shareAs("other"),
      { spec: { ports: portsOf(["TCP/81"]) } },
      { spec: { externalTrafficPolicy: "Local", selector: { app: "x" } } },
      { spec: { selector: { app: "y" } } },
      shareAs(null),
      shareAs("k"),
    ];
    for (const change of changes) {
      expect((await world.change(kinds.services, a, change)).denied).toBeUndefined();
      await pass(100);
      expect(world.annotationOf(a)).toBe("10.0.0.1");
    }
    await pass(70_000);
    expect(world.claims()).toEqual(["10.0.0.1 default/a"]);
    await world.create(kinds.services, sharer(b, { local: { app: "y" }, ports: ["TCP/443"] }));
    expect(world.annotationOf(b)).toBe("10.0.0.1");
  });

  it.each<{ what: string; change: object; local?: Record<string, string> }>([
    { what: "takes its key off", change: shareAs(null) },
    { what: "empties its key", change: shareAs("") },
    { what: "changes its key", change: shareAs("other") },
    { what: "changes its policy", change: { spec: { externalTrafficPolicy: "Local" } } },
    { what: "changes its selector", local: { app: "x" }, change: { spec: { selector: { app: "y" } } } },
    { what: "takes a port of the other", change: { spec: { ports: portsOf(["TCP/443"]) } } },
  ])("and $what moves, and the other stays", async ({ change, local }) => {
    const parts = local === undefined ? {} : { local };
    const world = await openWith([sharer(a, parts), sharer(b, { ...parts, ports: ["TCP/443"] })]);
    const { denied, warnings } = await world.change(kinds.services, a, change);
    expect(denied).toBeUndefined();
    expect(warnings.join()).toContain("moves from 10.0.0.1 to 10.0.0.2");
    await pass(70_000);
    expect([a, b].map((key) => world.statusOf(key))).toEqual([["10.0.0.2"], ["10.0.0.1"]]);
    expect(world.claims()).toEqual(["10.0.0.1 default/b", "10.0.0.2 default/a"]);
  });

  it("and can't move is denied the change, and keeps what it has", async () => {
    const world = await openWith([sharer(a), sharer(b, { ports: ["TCP/443"] })], [pool("one", ["10.0.0.1/32"])]);
    const before = world.service(a);
    const { denied } = await world.change(kinds.services, a, shareAs("other"));
    expect(denied).toContain('IPAddressPool "network/one" is full');
    await pass(70_000);
    expect(world.service(a)).toEqual(before);
    expect(world.claims()).toEqual(["10.0.0.1 default/a+default/b"]);
  });

  it("in two families shares both addresses or none", async () => {
    const families = { ipFamilyPolicy: "RequireDualStack", clusterIPs: ["10.96.0.1", "fd96::1"] };
    const both = pool("lan", ["10.0.0.1-10.0.0.9", "fd00::1-fd00::9"]);
    const world = await openWith(
      [sharer(a, { spec: families }), sharer(b, { ports: ["TCP/443"], spec: families }), sharer(c, { spec: families })],
      [both],
    );
    expect([a, b, c].map((key) => world.annotationOf(key))).toEqual([
      "10.0.0.1,fd00::1",
      "10.0.0.1,fd00::1",
      "10.0.0.2,fd00::2",
    ]);
  });

  it("waits while the port it needs is taken, and comes in once that sharer has left and others stay", async () => {
    const world = await openWith(
      [sharer(a), sharer(b, { ports: ["TCP/443"] }), sharer(c)],
      [pool("one", ["10.0.0.1/32"])],
    );
    expect(world.annotationOf(c)).toBeUndefined();
    await pass(61_000);
    await world.delete(kinds.services, a);
    await pass(3_000);
    expect(world.annotationOf(c)).toBe("10.0.0.1");
    expect(world.claims()).toEqual(["10.0.0.1 default/b+default/c"]);
  });

  it("waits while the port it needs is taken, and comes in once that sharer has changed it", async () => {
    const world = await openWith(
      [sharer(a), sharer(b, { ports: ["TCP/443"] }), sharer(c)],
      [pool("one", ["10.0.0.1/32"])],
    );
    await world.change(kinds.services, a, { spec: { ports: portsOf(["TCP/81"]) } });
    await pass(61_000);
    expect(world.annotationOf(c)).toBe("10.0.0.1");
  });
});

it("the address is never free while its first Service leaves and others stay", async () => {
  const world = await openWith([sharer(a), sharer(b, { ports: ["TCP/443"] })]);
  const gone: string[] = [];
  const end = new AbortController();
  void (async () => {
    const options = { resourceVersion: world.store.resourceVersion, signal: end.signal };
    for await (const { type } of world.store.client().watch(kinds.claims, options)) gone.push(type);
  })().catch(() => undefined);
  await world.delete(kinds.services, a);
  await pass(70_000);
  end.abort();
  expect(gone).not.toContain("DELETED");
  expect(world.claims()).toEqual(["10.0.0.1 default/b"]);
});

describe("Services that shared before Berth", () => {
  const held = (one: Service): Service => ({ ...one, status: { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } } });

  it.each<{ what: string; first: Service; second: Service }>([
    { what: "across namespaces", first: sharer(a), second: sharer("other/b", { ports: ["TCP/443"] }) },
    {
      what: "across namespaces with Local",
      first: sharer(a, { local: { app: "x" } }),
      second: sharer("other/b", { local: { app: "x" }, ports: ["TCP/443"] }),
    },
  ])("$what go on, each change with a Warning", async ({ first, second }) => {
    const world = await worlds.open({ pools: [lan], services: [held(first), held(second)] });
    await pass(1_000);
    expect(world.claims()).toEqual(["10.0.0.1 default/a+other/b"]);
    const { denied, warnings } = await world.change(kinds.services, "other/b", { metadata: { labels: { x: "y" } } });
    expect(denied).toBeUndefined();
    expect(warnings.join()).toContain("shares 10.0.0.1 with a Service of another namespace from before Berth");
    await pass(70_000);
    expect([a, "other/b"].map((key) => world.statusOf(key))).toEqual([["10.0.0.1"], ["10.0.0.1"]]);
  });
});
