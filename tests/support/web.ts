/** What the tables of changes begin with: the Service "default/web", and three pools that may renumber it. */
import { expect } from "vitest";
import { kinds, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { pool, service } from "./builders.ts";
import { pass } from "./paused-time.ts";
import type { Seed, useWorlds, World } from "./world.ts";

export const web = "default/web";
export const renumbering = { annotations: { [keys.poolAllowRenumbering]: "true" } };
export const lan = pool("lan", ["10.0.0.1-10.0.0.9"], {}, renumbering);
export const dmz = pool("dmz", ["10.1.0.1-10.1.0.9"], { autoAssign: false }, renumbering);
export const last = pool("zz-last", ["10.2.0.1-10.2.0.9"], {}, renumbering);

/** A patch of annotations; null takes one off. */
export const annotate = (annotations: Record<string, string | null>): object => ({ metadata: { annotations } });

/** A world in which "default/web" has 10.0.0.1, unless it asks for another. */
export async function openWith(
  worlds: ReturnType<typeof useWorlds>,
  one: Service = service(web),
  seed: Seed = { pools: [lan, dmz, last] },
): Promise<World> {
  const world = await worlds.open(seed);
  await world.create(kinds.services, one);
  await pass(100);
  return world;
}

/** Where it ends up: the addresses in its status and its annotation, and all claims. */
export async function settled(world: World): Promise<{ readonly status: string; readonly claims: readonly string[] }> {
  await pass(70_000);
  const status = world.statusOf(web).join();
  expect(world.annotationOf(web) ?? "").toBe(status);
  return { status, claims: world.claims() };
}

/** What {@link settled} says where nobody else has an address: of none, or of these, in the order of the status. */
export const at = (status: string): Awaited<ReturnType<typeof settled>> => ({
  status,
  claims:
    status === ""
      ? []
      : status
          .split(",")
          .toSorted()
          .map((address) => `${address} ${web}`),
});
