/** Two Services that have one address from before Berth, as an admission pod sees them before the watcher has adopted anything. */
import { afterEach, expect, it } from "vitest";
import { claimAddresses } from "../../cluster/claims.ts";
import { kinds, printKey } from "../../cluster/kinds.ts";
import { claimantsOf } from "../../cluster/read.ts";
import { keys } from "../../core/keys.ts";
import { claim, pool, service } from "../support/builders.ts";
import { Clusters } from "../support/clusters.ts";
import { MemoryStore } from "../support/memory-api.ts";

const clusters = new Clusters();
afterEach(() => {
  clusters.end();
});

it.each([
  { first: "the list's first", names: ["default/a", "default/z"] as const, shareKeys: [] },
  { first: "the list's last", names: ["default/z", "default/a"] as const, shareKeys: [] },
  { first: "of another sharing key", names: ["default/a", "default/z"] as const, shareKeys: ["a", "z"] },
])(
  "the older one holds the address and the younger one is not given it, be the older $first",
  async ({ names, shareKeys }) => {
    const [older, younger] = names.map((name, index) =>
      service(name, {
        status: ["10.0.0.3"],
        ...(shareKeys[index] === undefined ? {} : { annotations: { [keys.shareNew]: shareKeys[index] } }),
        metadata: { creationTimestamp: `2025-12-0${String(index + 1)}T00:00:00Z` },
      }),
    );
    const store = new MemoryStore();
    store.seed(kinds.pools, pool("lan", ["10.0.0.1-10.0.0.4"]));
    store.seed(kinds.services, older!, younger!);
    const cluster = await clusters.start(store);
    const [asked, ...others] = [younger!, older!].map((one) => claimAddresses(one, cluster, { isDryRun: false }));
    expect(await asked).toMatchObject({ ok: false, error: { kind: "addressDoubled" } });
    expect(await others[0]).toMatchObject({
      ok: true,
      value: { addresses: [{ family: "IPv4", value: 0x0a00_0003n }] },
    });
    expect(store.all(kinds.claims).flatMap(claimantsOf).map(printKey)).toEqual([names[0]]);
  },
);

it("one that another asks for is not given up while its Service, written since it was claimed, shows it", async () => {
  const store = new MemoryStore();
  store.seed(kinds.pools, pool("lan", ["10.0.0.1-10.0.0.4"]));
  store.seed(kinds.claims, claim("10.0.0.3", "default/a"));
  store.seed(kinds.services, service("default/a", { status: ["10.0.0.3"] }));
  const cluster = await clusters.start(store);
  const asked = await claimAddresses(service("default/b", { pin: "10.0.0.3" }), cluster, { isDryRun: false });
  expect(asked).toMatchObject({ ok: false, error: { kind: "pinHeld" } });
  expect(store.all(kinds.claims).flatMap(claimantsOf).map(printKey)).toEqual(["default/a"]);
});
