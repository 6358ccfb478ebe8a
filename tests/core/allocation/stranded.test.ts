import { describe, expect, it } from "vitest";
import type { Occupancy } from "../../../core/allocation/occupancy.ts";
import type { Origin } from "../../../core/allocation/keep.ts";
import { findStranded } from "../../../core/allocation/stranded.ts";
import { usablePools, type UsablePools } from "../../../core/pool/overlap.ts";
import type { Served } from "../../../core/pool/serve.ts";
import type { Pool } from "../../../core/pool/pool.ts";
import { addressFrom, occupancyOf, poolFrom, poolInput } from "../builders.ts";

const before = poolFrom("lan", ["10.0.0.0/24"]);
const labelled: Served = { labels: { app: "web" }, namespace: "default", namespaceLabels: {} };
const only = (usable: readonly Pool[]): UsablePools => ({ usable, inert: [] });
const originOf = (): Origin => ({ claimedFrom: "", isAdopted: false });
const strandedBy = (after: readonly Pool[], occupancy: Occupancy, served: Served | undefined = labelled) =>
  findStranded({
    pool: before.key,
    before: only([before]),
    after: only(after),
    occupancy,
    served: () => served,
    originOf,
  });

describe("a change of a pool strands", () => {
  it("the addresses in use that no pool has any more, lowest first", () => {
    const occupancy = occupancyOf("10.0.0.1", "10.0.0.200", "10.0.0.130", "10.9.0.1");
    const holder = { namespace: "default", name: "my-service" };
    expect(strandedBy([poolFrom("lan", ["10.0.0.0/25"])], occupancy)).toEqual({
      kind: "strandedAddresses",
      pool: "network/lan",
      lost: ["10.0.0.130", "10.0.0.200"].map((text) => ({ address: addressFrom(text), holder })),
      count: 2,
    });
  });

  it("more than five by naming five and counting all", () => {
    const texts = Array.from({ length: 9 }, (_, index) => `10.0.0.${String(index + 1)}`);
    const stranded = strandedBy([], occupancyOf(...texts));
    expect(stranded?.lost).toHaveLength(5);
    expect(stranded?.count).toBe(9);
  });

  it.each([
    { what: "avoidBuggyIPs is turned on", addresses: ["10.0.0.0/24"], spec: { avoidBuggyIPs: true } },
    {
      what: "another namespace alone is served",
      addresses: ["10.0.0.0/24"],
      spec: { serviceAllocation: { namespaces: ["shop"] } },
    },
    {
      what: "Services with other labels alone are served",
      addresses: ["10.0.0.0/24"],
      spec: { serviceAllocation: { serviceSelectors: [{ matchLabels: { app: "db" } }] } },
    },
  ])("an address where $what", ({ addresses, spec }) => {
    expect(strandedBy([poolFrom("lan", addresses, spec)], occupancyOf("10.0.0.0"))?.count).toBe(1);
  });

  it("each of the Services that share an address", () => {
    const occupancy = occupancyOf();
    const terms = (port: string) => [{ key: "k", ports: [port], backend: "cluster" }];
    const sharers = [
      { namespace: "default", name: "a", terms: terms("TCP/80") },
      { namespace: "default", name: "b", terms: terms("TCP/81") },
    ];
    occupancy.take(addressFrom("10.0.0.9"), { kind: "shared", sharers });
    expect(strandedBy([], occupancy)?.lost.map(({ holder }) => holder.name)).toEqual(["a", "b"]);
  });
});

describe("a pool that comes to have an address that a Service has from before Berth", () => {
  const strandedBySpec = (spec: object, isAdopted: boolean) =>
    findStranded({
      pool: "network/late",
      before: only([before]),
      after: only([before, poolFrom("late", ["172.16.0.0/24"], spec)]),
      occupancy: occupancyOf("172.16.0.0"),
      served: () => labelled,
      originOf: () => ({ claimedFrom: "", isAdopted }),
    })?.count;

  it.each([
    { what: "serves it", spec: {}, isAdopted: true, count: undefined },
    {
      what: "serves another namespace",
      spec: { serviceAllocation: { namespaces: ["shop"] } },
      isAdopted: true,
      count: 1,
    },
    { what: "keeps it back", spec: { avoidBuggyIPs: true }, isAdopted: true, count: 1 },
    {
      what: "keeps back one that it does not go on with",
      spec: { avoidBuggyIPs: true },
      isAdopted: false,
      count: undefined,
    },
  ])("and $what", ({ spec, isAdopted, count }) => {
    expect(strandedBySpec(spec, isAdopted)).toBe(count);
  });
});

describe("a pool that gives nothing", () => {
  const broken = poolInput("broken", ["10.1.0.0/24", "nonsense"]);
  const strandedIn = (after: UsablePools, texts: readonly string[], claimedFrom = "") =>
    findStranded({
      pool: "network/broken",
      before: usablePools([broken, poolInput("lan", ["10.0.0.0/24"])]),
      after,
      occupancy: occupancyOf(...texts),
      served: () => labelled,
      originOf: () => ({ claimedFrom, isAdopted: false }),
    });

  it("strands what it keeps for Services when it is deleted", () => {
    expect(strandedIn(only([before]), ["10.1.0.1", "10.0.0.1"])?.count).toBe(1);
  });

  it("strands what it would not have any more once it is repaired", () => {
    expect(strandedIn(only([before, poolFrom("broken", ["10.1.0.0/25"])]), ["10.1.0.1", "10.1.0.200"])?.count).toBe(1);
  });

  it("strands what was claimed from it and stands in an entry that can't be read any more", () => {
    expect(strandedIn(only([before]), ["10.2.0.1"], "network/broken")?.count).toBe(1);
    expect(strandedIn(only([before]), ["10.2.0.1"], "network/other")).toBeUndefined();
  });

  it("keeps what it has when another pool changes", () => {
    expect(strandedIn(usablePools([broken]), ["10.1.0.1"])).toBeUndefined();
  });
});

describe("no change strands", () => {
  it("an address that another pool takes over", () => {
    const after = [poolFrom("low", ["10.0.0.0/25"]), poolFrom("high", ["10.0.0.128/25"])];
    expect(strandedBy(after, occupancyOf("10.0.0.1", "10.0.0.200"))).toBeUndefined();
  });

  it("what is no Service's", () => {
    const occupancy = occupancyOf();
    occupancy.take(addressFrom("10.0.0.1"), { kind: "other", what: 'Node "node-1"' });
    expect(strandedBy([], occupancy)).toBeUndefined();
  });

  it("the address of a Service that is gone and may come back", () => {
    const gone = {
      before: only([before]),
      after: only([]),
      occupancy: occupancyOf("10.0.0.1"),
      served: () => undefined,
      originOf,
    };
    expect(findStranded({ pool: before.key, ...gone })).toBeUndefined();
  });
});
