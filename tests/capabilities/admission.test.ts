/** What `kubectl apply` of a Service answers. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { pool, service } from "../support/builders.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";
import { World, type Processes, type Seed } from "../support/world.ts";

const homelab = pool("homelab-pool", ["192.168.1.200-192.168.1.220"]);

const worlds: World[] = [];
async function open(seed: Seed = { pools: [homelab] }, processes: Processes = {}): Promise<World> {
  const world = await World.open(seed, processes);
  worlds.push(world);
  return world;
}

beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
  resumeTime();
});

describe("a Service that asks for nothing", () => {
  it("has its address in the answer, in its claim, and soon in its status", async () => {
    const world = await open();
    const { stored, warnings } = await world.create(kinds.services, service("default/web"));
    expect(stored?.metadata?.annotations).toEqual({ "berth.dev/addresses": "192.168.1.200" });
    expect(warnings).toEqual([]);
    expect(world.claims()).toEqual(["192.168.1.200 default/web"]);
    await pass(50);
    expect(world.service("default/web")?.status?.loadBalancer?.ingress).toEqual([
      { ip: "192.168.1.200", ipMode: "VIP" },
    ]);
    expect(world.conditionOf("default/web")).toBe(
      'True Assigned: 192.168.1.200 from IPAddressPool "network/homelab-pool"',
    );
    expect(world.events("default/web")).toEqual([
      'IPAllocated: Assigned 192.168.1.200 from IPAddressPool "network/homelab-pool"',
    ]);
  });
});
