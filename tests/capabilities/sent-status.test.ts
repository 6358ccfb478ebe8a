/** A status that stands in the request itself: the API server stores none of it, but shows it to Mutate. */
import { describe, expect, it, test } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pool, service } from "../support/builders.ts";
import { pass } from "../support/paused-time.ts";
import { useWorlds } from "../support/world.ts";

const worlds = useWorlds();

const lan = pool("lan", ["10.0.0.1-10.0.0.9"]);
const onRequest = pool("on-request", ["10.1.0.1-10.1.0.9"], { autoAssign: false });
const open = () => worlds.open({ pools: [lan, onRequest] });
const sharing = (port: number) => ({
  annotations: { [keys.shareNew]: "k" },
  spec: { ports: [{ name: "p", protocol: "TCP", port }] },
});

describe("a status that a create brings along", () => {
  test.each<{ row: string; status: string; to: string }>([
    { row: "of a free address", status: "10.0.0.7", to: "10.0.0.1" },
    { row: "of a pool that gives on request only", status: "10.1.0.5", to: "10.0.0.1" },
    { row: "of an address of no pool", status: "192.0.2.1", to: "10.0.0.1" },
  ])("$row is no request for it", async ({ status, to }) => {
    const world = await open();
    await world.create(kinds.services, service("default/web", { status: [status] }));
    expect(world.annotationOf("default/web")).toBe(to);
    await pass(70_000);
    expect(world.claims()).toEqual([`${to} default/web`]);
  });

  it("lets nobody of another namespace in on a shared address", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/a", sharing(80)));
    const { annotations, spec } = sharing(443);
    const status = ["10.0.0.1"];
    const bad = { ...annotations, [keys.pinNew]: "x" };
    expect(
      (await world.create(kinds.services, service("evil/b", { annotations: bad, spec, status }))).denied,
    ).toContain("which is no IP address");
    expect(world.claims()).toEqual(["10.0.0.1 default/a"]);
    await world.create(kinds.services, service("evil/b", { annotations, spec, status }));
    await pass(70_000);
    expect(world.claims()).toEqual(["10.0.0.1 default/a", "10.0.0.2 evil/b"]);
  });

  it("of a request that is denied claims nothing", async () => {
    const world = await open();
    const { denied } = await world.create(
      kinds.services,
      service("default/web", { pin: "10.9.9.9", status: ["10.0.0.7"] }),
    );
    expect(denied).toContain("asks for 10.9.9.9");
    expect(world.claims()).toEqual([]);
  });
});

describe("a status that an update brings along", () => {
  const ingress = { status: { loadBalancer: { ingress: [{ ip: "10.0.0.7" }] } } };

  it("moves nothing", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web"));
    await pass(100);
    await world.change(kinds.services, "default/web", ingress);
    await pass(70_000);
    expect(world.statusOf("default/web")).toEqual(["10.0.0.1"]);
    expect(world.claims()).toEqual(["10.0.0.1 default/web"]);
  });

  it("is no request for the address where the Service becomes a LoadBalancer", async () => {
    const world = await open();
    await world.create(kinds.services, service("default/web", { spec: { type: "ClusterIP" } }));
    await world.change(kinds.services, "default/web", { spec: { type: "LoadBalancer" }, ...ingress });
    await pass(70_000);
    expect(world.claims()).toEqual(["10.0.0.1 default/web"]);
  });
});
