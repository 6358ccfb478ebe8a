/** Everything at once: people create, pin and delete at random while two admission pods and the watcher work. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keyOf, kinds, printKey } from "../../cluster/kinds.ts";
import { annotatedAddresses, isOurs } from "../../cluster/read.ts";
import { keys } from "../../core/keys.ts";
import { pool, service } from "../support/builders.ts";
import type { Hook } from "../support/memory-api.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";
import { World } from "../support/world.ts";

beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  resumeTime();
});

const name = fc.constantFrom("default/a", "default/b", "default/c", "kube-system/d", "default/e", "default/f");
const pin = fc.option(fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.3"), { nil: undefined, freq: 2 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant("create" as const), name, pin }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("delete" as const), name }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("pin" as const), name, pin }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("retype" as const),
      name,
      type: fc.constantFrom("ClusterIP", "LoadBalancer"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant("unclaim" as const), address: fc.constantFrom("10.0.0.1", "10.0.0.2") }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant("wait" as const), millis: fc.constantFrom(1, 40, 500, 2_000, 61_000) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("break" as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("webhook" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Doing<Does extends Step["does"]> = Extract<Step, { readonly does: Does }>;

/** What somebody does; what is refused is refused. */
const acts: { readonly [Does in Step["does"]]: (one: Doing<Does>, world: World) => Promise<unknown> } = {
  create: ({ name: key, pin: wanted }, world) =>
    world.create(kinds.services, service(key, wanted === undefined ? {} : { pin: wanted })),
  delete: ({ name: key }, world) => world.delete(kinds.services, key),
  pin: ({ name: key, pin: wanted = null }, world) =>
    world.change(kinds.services, key, { metadata: { annotations: { [keys.pinOld]: wanted } } }),
  retype: ({ name: key, type }, world) => world.change(kinds.services, key, { spec: { type } }),
  unclaim: ({ address }, world) => world.delete(kinds.claims, address),
  wait: ({ millis }) => pass(millis),
  break: async (_, world) => {
    world.store.breakWatches();
  },
  webhook: async (_, world) => {
    world.isWebhookUp = !world.isWebhookUp;
  },
};

const take = <Does extends Step["does"]>(one: Doing<Does> & { does: Does }, world: World): Promise<unknown> =>
  acts[one.does](one, world);

/** Delays and failures of calls, as a seed says. */
function troubled(next: () => number): Hook {
  return async (call, run) => {
    const chance = next();
    if (chance < 20) await new Promise((resolve) => setTimeout(resolve, chance * 3));
    if (call.verb === "watch event") return run();
    if (chance === 90) throw new Error("ETIMEDOUT");
    const answer = await run();
    if (chance === 91) throw new Error("socket hang up");
    return answer;
  };
}

/** What a world at rest looks like to who checks it: each address once, each Service served, no claim too many. */
function check(world: World): void {
  const services = world.store.all(kinds.services);
  const listed = services.flatMap((one) => {
    const key = printKey(keyOf(one));
    const address = world.annotationOf(key);
    expect(world.statusOf(key).join(","), `status and annotation of ${key}`).toBe(address ?? "");
    return address === undefined ? [] : [`${address} ${key}`];
  });
  expect(world.claims()).toEqual(listed.toSorted());
  for (const one of services) expect(world.conditionOf(printKey(keyOf(one))) !== undefined).toBe(isOurs(one));
  const taken = listed.map((line) => line.split(" ")[0]);
  for (const { metadata } of services.filter((one) => isOurs(one) && annotatedAddresses(one) === undefined)) {
    const wanted = metadata?.annotations?.[keys.pinOld];
    const isWaiting = wanted === undefined ? taken.length === 4 : taken.includes(wanted);
    expect(isWaiting, `${metadata?.name ?? ""} waits although an address is free`).toBe(true);
  }
}

test("after any day each address has one owner, each Service that can be served is, and no claim is left over", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ step, isAtOnce: fc.boolean() }), { minLength: 5, maxLength: 40 }),
      fc.infiniteStream(fc.nat({ max: 99 })),
      async (steps, chances) => {
        let isTroubled = false;
        const next = (): number => (isTroubled ? Number(chances.next().value) : 50);
        const world = await World.open({ pools: [pool("lan", ["10.0.0.1-10.0.0.4"])] }, { hook: () => troubled(next) });
        isTroubled = true;
        const running: Promise<unknown>[] = [];
        for (const { step: one, isAtOnce } of steps) {
          const result = take(one, world).catch(() => undefined);
          running.push(result);
          // Time must move for a delayed call to come back.
          if (isAtOnce) await pass(1);
          else await Promise.all([result, pass(400)]);
        }
        await pass(2_000);
        await Promise.all(running);
        isTroubled = false;
        world.isWebhookUp = true;
        await pass(200_000);
        check(world);
        world.close();
      },
    ),
    { numRuns: 200 },
  );
}, 60_000);
