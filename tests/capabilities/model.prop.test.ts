/** Random changes of pools, namespaces and Services, each compared with a naive allocator that knows only the rules. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { IPAddressPool } from "../../cluster/crd.ts";
import { keyOf, kinds, metadataOf, printKey, type Service } from "../../cluster/kinds.ts";
import { keys } from "../../core/keys.ts";
import { namespace, pool, service, serviceCIDR } from "../support/builders.ts";
import { agree, isOpen, judge, serves, type NaiveService, type NaiveState } from "../support/naive-allocator.ts";
import { naiveService, split, stateOf } from "../support/naive-state.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";
import { World } from "../support/world.ts";

beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  resumeTime();
});

/** Each pool has addresses of its own, so that none overlap; two have one name. */
const BLOCKS: Readonly<Record<string, string>> = { "network/a": "1", "network/b": "2", "lab/b": "3" };
const rangesOf = (key: string, four: number, six: number): readonly string[] => [
  ...(four > 0 ? [`10.${BLOCKS[key] ?? ""}.0.1-10.${BLOCKS[key] ?? ""}.0.${String(four)}`] : []),
  ...(six > 0 ? [`fd0${BLOCKS[key] ?? ""}::1-fd0${BLOCKS[key] ?? ""}::${String(six)}`] : []),
];

const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(one, { nil: undefined, freq: 1 });
const poolArb = fc
  .record({
    key: fc.constantFrom(...Object.keys(BLOCKS)),
    four: fc.nat({ max: 3 }),
    six: fc.nat({ max: 2 }),
    autoAssign: fc.boolean(),
    allocation: fc.option(
      fc.record({
        priority: fc.nat({ max: 2 }),
        namespaces: fc.constantFrom<readonly string[]>([], [], ["x"]),
        team: maybe(fc.constantFrom("red", "blue")),
      }),
      { nil: undefined, freq: 1 },
    ),
    isAcross: fc.boolean(),
  })
  .filter(({ four, six }) => four + six > 0);

const serviceName = fc.constantFrom("x/one", "x/two", "x/three", "y/one", "y/two");
const asked = fc.record({
  pin: fc.constantFrom(
    "",
    "",
    "",
    "10.1.0.1",
    "10.2.0.1",
    "10.1.0.2,fd01::1",
    "fd01::1",
    "10.1.0.1,10.1.0.2",
    "10.9.9.9",
  ),
  pool: fc.constantFrom("", "", "", "a", "b", "network/b", "lab/b", "nowhere"),
  share: fc.constantFrom("", "k", "k", "l"),
  ports: fc.constantFrom<readonly number[]>([80], [443], [80, 443], [81]),
  policy: fc.constantFrom("Cluster", "Cluster", "Local"),
  stack: fc.constantFrom("SingleStack", "PreferDualStack", "RequireDualStack"),
  isSixFirst: fc.boolean(),
  type: fc.constantFrom("LoadBalancer", "LoadBalancer", "LoadBalancer", "ClusterIP"),
});
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant("create" as const), key: serviceName, asks: asked }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("change" as const),
      key: serviceName,
      asks: asked,
      isSmall: fc.boolean(),
      what: fc.nat({ max: 7 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("delete" as const), key: serviceName }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("pool" as const), to: poolArb }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant("unpool" as const), key: fc.constantFrom(...Object.keys(BLOCKS)) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("label" as const),
      name: fc.constantFrom("x", "y"),
      team: fc.constantFrom("red", "blue"),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function serviceOf(key: string, asks: Asked): Service {
  const clusterIPs = asks.isSixFirst ? ["fd96::9", "10.96.0.9"] : ["10.96.0.9", "fd96::9"];
  return service(key, {
    annotations: { [keys.pinNew]: asks.pin, [keys.poolNew]: asks.pool, [keys.shareNew]: asks.share },
    spec: {
      type: asks.type,
      ports: asks.ports.map((port) => ({ name: `p${String(port)}`, port })),
      externalTrafficPolicy: asks.policy,
      selector: { app: "web" },
      ipFamilyPolicy: asks.stack,
      clusterIPs,
    },
  });
}

const poolObject = ({
  key,
  four,
  six,
  autoAssign,
  allocation,
  isAcross,
}: Extract<Step, { does: "pool" }>["to"]): IPAddressPool => {
  const team = allocation?.team;
  const selectors = team === undefined ? {} : { namespaceSelectors: [{ matchLabels: { team } }] };
  const serviceAllocation =
    allocation === undefined
      ? undefined
      : { priority: allocation.priority, namespaces: [...allocation.namespaces], ...selectors };
  const spec = { autoAssign, ...(serviceAllocation === undefined ? {} : { serviceAllocation }) };
  const annotations = { [keys.poolAllowRenumbering]: "true", [keys.poolCrossNamespaceSharing]: String(isAcross) };
  return pool(key, rangesOf(key, four, six), spec, { annotations });
};

/** Whether any of these may have the address on, its request aside. */
const goesOn = (address: string, asking: readonly NaiveService[], state: NaiveState): boolean =>
  asking.some((one) =>
    state.pools.some(
      (pool) => pool.addresses.includes(address) && serves(pool, one, state) && isOpen(address, pool, one, state),
    ),
  );

const isOurs = (one: Service | undefined): boolean => one?.spec?.type === "LoadBalancer";

/** What may come of a change, by the rules alone; undefined where the Service had the fault before, which is let be. */
function expectedOf(wanted: Service, before: Service | undefined, state: NaiveState): unknown {
  if (!isOurs(wanted)) return [];
  const earlier = [before].flatMap((one) => (one !== undefined && isOurs(one) ? [naiveService(one)] : []));
  const has = earlier.flatMap((one) => one.has);
  const verdict = judge({ ...naiveService(wanted), has }, state);
  if (typeof verdict !== "string") return verdict;
  const isLost = (address: string): boolean =>
    goesOn(address, earlier, state) && !goesOn(address, [{ ...naiveService(wanted), has }], state);
  if (earlier.some((one) => typeof judge(one, state) === "string")) return has.some(isLost) ? "denied" : undefined;
  return verdict === "waits" && has.length === 0 ? [] : "denied";
}

/** Asks for a Service as it would be stored; beside it, nobody may lose anything. */
async function ask(world: World, wanted: Service, before: Service | undefined): Promise<void> {
  const key = printKey(keyOf(wanted));
  const state = stateOf(world);
  const expected = expectedOf(wanted, before, state);
  const patch = { metadata: { annotations: wanted.metadata?.annotations }, spec: wanted.spec };
  const { denied } = await (before === undefined
    ? world.create(kinds.services, wanted)
    : world.change(kinds.services, key, patch));
  const answer = denied === undefined ? split(world.annotationOf(key)) : "denied";
  if (expected !== undefined) expect(answer, `${key}: ${denied ?? ""}`).toEqual(expected);
  await pass(140_000);
  const after = new Map(stateOf(world).services.map((one) => [nameOf(one), one.has]));
  for (const one of state.services.filter((other) => nameOf(other) !== key)) {
    expect(after.get(nameOf(one))?.slice(0, one.has.length), `${nameOf(one)} beside ${key}`).toEqual(one.has);
  }
}

const nameOf = ({ namespace: ns, name }: { namespace: string; name: string }): string => `${ns}/${name}`;

type Part = { metadata?: { annotations?: object }; spec?: object };
const PARTS: readonly ((asks: Asked) => Part)[] = [
  (asks: Asked) => ({ metadata: { annotations: { [keys.pinNew]: asks.pin } } }),
  (asks: Asked) => ({ metadata: { annotations: { [keys.poolNew]: asks.pool } } }),
  (asks: Asked) => ({ metadata: { annotations: { [keys.shareNew]: asks.share } } }),
  (asks: Asked) => ({ spec: { ports: serviceOf("x/y", asks).spec?.ports } }),
  (asks: Asked) => ({ spec: { externalTrafficPolicy: asks.policy } }),
  (asks: Asked) => ({ spec: { ipFamilyPolicy: asks.stack } }),
  (asks: Asked) => ({ spec: { type: asks.type } }),
  () => ({ metadata: { annotations: { note: "x" } } }),
];

type Doing<Does extends Step["does"]> = Extract<Step, { readonly does: Does }>;

const acts: { readonly [Does in Step["does"]]: (one: Doing<Does>, world: World) => Promise<unknown> } = {
  create: async ({ key, asks }, world) => {
    if (world.service(key) === undefined) await ask(world, serviceOf(key, asks), undefined);
  },
  change: async ({ key, asks, isSmall, what }, world) => {
    const before = world.service(key);
    if (before === undefined) return;
    const part: Part = isSmall ? (PARTS[what]?.(asks) ?? {}) : serviceOf(key, asks);
    const annotations = { ...before.metadata?.annotations, ...part.metadata?.annotations };
    const wanted = { ...before, metadata: { ...before.metadata, annotations }, spec: { ...before.spec, ...part.spec } };
    await ask(world, wanted, before);
  },
  delete: ({ key }, world) => world.delete(kinds.services, key),
  pool: async ({ to }, world) => {
    const object = poolObject(to);
    if (world.store.get(kinds.pools, keyOf(object)) === undefined) return world.create(kinds.pools, object);
    // A merge patch alone would leave what the new form does not name.
    await world.change(kinds.pools, to.key, { spec: { serviceAllocation: null } });
    const { annotations } = metadataOf(object);
    return world.change(kinds.pools, to.key, { metadata: { annotations }, spec: object.spec });
  },
  unpool: ({ key }, world) => world.delete(kinds.pools, key),
  label: ({ name, team }, world) => world.change(kinds.namespaces, name, { metadata: { labels: { team } } }),
};

const take = <Does extends Step["does"]>(one: Doing<Does> & { does: Does }, world: World): Promise<unknown> =>
  acts[one.does](one, world);

/** A claim for each address that is held, with all its holders, and no other; holders that agree. */
function checkClaims(world: World, { services }: NaiveState): void {
  const held = [...new Set(services.flatMap(({ has }) => has))];
  const holders = held.map((address) => ({ address, by: services.filter(({ has }) => has.includes(address)) }));
  const wanted = holders.map(({ address, by }) => [address, ...by.map(nameOf)].toSorted().join(" "));
  const claimed = world.claims().map((line) => line.split(/[ +]/).toSorted().join(" "));
  expect(claimed.toSorted()).toEqual(wanted.toSorted());
  for (const { by } of holders) {
    for (const [index, one] of by.entries()) expect(by.slice(index + 1).every((other) => agree(one, other))).toBe(true);
  }
}

/** What holds whatever was done: all are served as the rules say, and nobody who could be waits. */
function check(world: World, before: NaiveState): void {
  const state = stateOf(world);
  checkClaims(world, state);
  for (const one of state.services) {
    expect(world.statusOf(nameOf(one)), `status of ${nameOf(one)}`).toEqual(one.has);
    const verdict = judge(one, state);
    if (typeof verdict !== "string") expect(one.has, `${nameOf(one)} at rest`).toEqual(verdict);
    else {
      // What it can't be served with, it goes on without; it never gets anything beside what it asks for.
      const earlier = before.services.find((other) => nameOf(other) === nameOf(one))?.has ?? [];
      const kept = earlier.filter((address) =>
        state.pools.some((from) => from.addresses.includes(address) && serves(from, one, state)),
      );
      expect(one.has, `${nameOf(one)} goes on`).toEqual(kept);
    }
  }
}

test("each change has the result that the rules alone give, and leaves the world in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40, size: "max" }), async (steps) => {
      const world = await World.open({
        serviceCIDRs: [serviceCIDR("10.96.0.0/16", "fd96::/112")],
        namespaces: [namespace("x", { team: "red" }), namespace("y", { team: "blue" })],
        pools: [
          pool("network/a", rangesOf("network/a", 2, 2), {}, { annotations: { [keys.poolAllowRenumbering]: "true" } }),
        ],
      });
      try {
        for (const one of steps) {
          const before = stateOf(world);
          await take(one, world);
          await pass(140_000);
          check(world, before);
        }
      } finally {
        world.close();
      }
    }),
    {
      numRuns: Number(process.env["BERTH_MODEL_RUNS"] ?? "40"),
      interruptAfterTimeLimit: 20_000,
      markInterruptAsFailure: false,
    },
  );
}, 60_000);
