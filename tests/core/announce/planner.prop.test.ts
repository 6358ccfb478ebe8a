/** What only follows the changes is what planning everything anew gives. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Advertisement } from "../../../core/announce/advertisement.ts";
import type { AnnouncedPool, AnnouncedService, NodePlan, PlanNode } from "../../../core/announce/plan-types.ts";
import { Planner } from "../../../core/announce/planner.ts";
import { addressFrom } from "../builders.ts";
import { advertisement, keyOf, leasesOf, node, report, service } from "./planning.ts";

const NODES = ["node-1", "node-2", "node-3", "node-4"];
const IPS = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1"];
const INTERFACES = ["lan0", "lan1"];

const nodeName = fc.constantFrom(...NODES);
const labels = fc.record({ zone: fc.constantFrom("a", "b") });
const selector = labels.map((matchLabels) => ({ matchLabels }));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const few = <T>(value: fc.Arbitrary<T>) =>
  fc.uniqueArray(value, { maxLength: 2, selector: (one) => JSON.stringify(one) });

/** A change, and how it is told to a planner; `undefined` stands for what is gone. */
type Change = (planner: Planner) => void;

const serviceChange = fc
  .record({
    name: fc.constantFrom("web", "dns", "mail", "db"),
    parts: maybe(
      fc.record({
        labels,
        addresses: few(fc.constantFrom(...IPS)).map((ips) => ips.map(addressFrom)),
        pool: fc.constantFrom("network/lan", "network/dmz"),
        externalTrafficPolicy: fc.constantFrom("Cluster", "Local"),
        endpoints: fc.record({ nodes: few(nodeName), anywhere: fc.boolean() }),
      }),
    ),
  })
  .map(({ name, parts }): Change => {
    const one: AnnouncedService | undefined = parts === undefined ? undefined : service({ name, ...parts });
    return (planner) => {
      planner.setService(`default/${name}`, one);
    };
  });

const nodeChange = fc
  .record({
    name: nodeName,
    parts: maybe(fc.record({ labels, ready: fc.boolean(), networkUnavailable: fc.boolean() })),
  })
  .map(({ name, parts }): Change => {
    const one: PlanNode | undefined = parts === undefined ? undefined : node(name, parts);
    return (planner) => {
      planner.setNode(name, one);
    };
  });

const pools = few(
  fc.record({ name: fc.constantFrom("lan", "dmz"), labels, rebalance: maybe(fc.constantFrom("1", "2")) }),
).map((list): readonly AnnouncedPool[] => list.map((pool) => ({ key: `network/${pool.name}`, ...pool })));
const poolsChange = pools.map(
  (list): Change =>
    (planner) => {
      planner.setPools(list);
    },
);

const spec = fc.record({
  ipAddressPools: few(fc.constantFrom("lan", "dmz")),
  ipAddressPoolSelectors: few(selector),
  nodeSelectors: few(selector),
  serviceSelectors: few(selector),
  interfaces: few(fc.constantFrom(...INTERFACES)),
  preferredNodeSelectors: few(fc.record({ weight: fc.integer({ min: 1, max: 3 }), preference: selector })),
});
const advertisementChange = fc
  .record({ key: fc.constantFrom("network/l2-a", "network/l2-b"), spec: maybe(spec) })
  .map((change): Change => {
    const one: Advertisement | undefined =
      change.spec === undefined ? undefined : { ...advertisement(change.spec), key: change.key };
    return (planner) => {
      planner.setAdvertisement(change.key, one);
    };
  });

const reportChange = fc
  .record({
    name: nodeName,
    ips: maybe(few(fc.constantFrom(...IPS))),
    interfaces: few(fc.constantFrom(...INTERFACES)),
    links: maybe(few(fc.constantFrom(...INTERFACES))),
  })
  .map(
    ({ name, ips, interfaces, links }): Change =>
      (planner) => {
        planner.setReport(name, ips === undefined ? undefined : report(ips, interfaces, links));
      },
  );

const change = fc.oneof(
  { weight: 4, arbitrary: serviceChange },
  { weight: 2, arbitrary: nodeChange },
  { weight: 1, arbitrary: poolsChange },
  { weight: 1, arbitrary: advertisementChange },
  { weight: 3, arbitrary: reportChange },
);
const batches = fc.array(fc.array(change, { maxLength: 4 }), { minLength: 1, maxLength: 12 });

const plansOf = (planner: Planner): ReadonlyMap<string, NodePlan> =>
  new Map(
    NODES.flatMap((name) => [[name, planner.planOf(name)] as const]).flatMap(([name, plan]) =>
      plan === undefined ? [] : [[name, plan]],
    ),
  );

/** Has it plan everything anew at the next update. */
function touchAll(planner: Planner): void {
  planner.setAdvertisement("network/none", advertisement({ ipAddressPools: ["none"] }));
  planner.setAdvertisement("network/none", undefined);
}

it("following the changes gives what planning everything anew gives", () => {
  fc.assert(
    fc.property(batches, (all) => {
      const [following, anew] = [new Planner(), new Planner()];
      for (const batch of all) {
        for (const apply of batch) {
          apply(following);
          apply(anew);
        }
        touchAll(anew);
        following.update();
        anew.update();
        expect(plansOf(following)).toEqual(plansOf(anew));
      }
    }),
    { numRuns: 3_000 },
  );
});

it("an update names every node whose plan has changed, and planning anew names none", () => {
  fc.assert(
    fc.property(batches, (all) => {
      const planner = new Planner();
      for (const batch of all) {
        const before = plansOf(planner);
        for (const apply of batch) apply(planner);
        const { nodes } = planner.update();
        const after = plansOf(planner);
        const changed = [...after].filter(([name, plan]) => JSON.stringify(plan) !== JSON.stringify(before.get(name)));
        const known = [...after.keys()].filter((name) => nodes.has(name));
        // Now and then one more, whose Leases are found to say the same and are not written.
        expect(known).toEqual(expect.arrayContaining(changed.map(([name]) => name)));
        touchAll(planner);
        expect(planner.update().nodes).toEqual(new Set());
      }
    }),
    { numRuns: 3_000 },
  );
});

it("a planner that begins anew with the written plans changes none of them", () => {
  const allServices = ["web", "dns", "mail", "db"];
  fc.assert(
    fc.property(batches, fc.constantFrom(1, 100, 1_000), (all, shardBytes) => {
      const planner = new Planner();
      const again = new Planner();
      for (const batch of all) {
        for (const apply of batch) apply(planner);
        planner.update();
      }
      const written = leasesOf(Object.fromEntries(plansOf(planner)), { shardBytes });
      for (const { node: name, plan } of written) again.remember(name, plan);
      for (const batch of all) for (const apply of batch) apply(again);
      again.update();
      expect(plansOf(again)).toEqual(plansOf(planner));
      for (const name of allServices) {
        expect(again.placed(keyOf({ namespace: "default", name }))).toEqual(planner.placed(`default/${name}`));
      }
    }),
    { numRuns: 3_000 },
  );
});
