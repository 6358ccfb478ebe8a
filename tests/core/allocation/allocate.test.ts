import { describe, expect, it, test } from "vitest";
import { printAddress } from "../../../core/address/address.ts";
import type { AllocationRefusal } from "../../../core/allocation/refusal.ts";
import { isExhausted, isPending } from "../../../core/allocation/refusal.ts";
import { allocate } from "../../../core/allocation/allocate.ts";
import { Occupancy } from "../../../core/allocation/occupancy.ts";
import type { ServiceRequest } from "../../../core/allocation/request.ts";
import type { Pool } from "../../../core/pool/pool.ts";
import { addressFrom, errorOf, occupancyOf, poolFrom, requestFrom, valueOf, web } from "../builders.ts";

const homelab = poolFrom("homelab-pool", ["192.168.1.200-192.168.1.220"]);
const v4 = poolFrom("v4", ["10.0.0.0/24"]);
const v6 = poolFrom("v6", ["fd00::/120"]);
const both = poolFrom("z-both", ["fd01::/120", "10.1.0.0/24"]);
const prefer = { ipFamilyPolicy: "PreferDualStack" };
const require = { ipFamilyPolicy: "RequireDualStack" };
const pin = (text: string) => ({ "metallb.universe.tf/loadBalancerIPs": text });
const held = (...texts: readonly string[]) => ({ held: texts.map(addressFrom) });

/** "pool: address,address", or the kind of the refusal. */
function outcome(request: ServiceRequest, pools: readonly Pool[], occupancy = new Occupancy()): string {
  const result = allocate(request, { pools, occupancy });
  if (!result.ok) return result.error.kind;
  return `${result.value.pool}: ${result.value.addresses.map(printAddress).join(",")}`;
}

const refusal = (request: ServiceRequest, pools: readonly Pool[], occupancy = new Occupancy()): AllocationRefusal =>
  errorOf(allocate(request, { pools, occupancy }));

describe("a Service that asks for nothing", () => {
  it("gets the lowest free address", () => {
    const occupancy = occupancyOf("192.168.1.200", "192.168.1.202");
    expect(outcome(requestFrom(), [homelab], occupancy)).toBe("network/homelab-pool: 192.168.1.201");
  });

  it("gets the address of an earlier range of the spec before a lower one", () => {
    const pool = poolFrom("lan", ["10.0.0.9-10.0.0.9", "10.0.0.1-10.0.0.2"]);
    expect(outcome(requestFrom(), [pool])).toBe("network/lan: 10.0.0.9");
    expect(outcome(requestFrom(), [pool], occupancyOf("10.0.0.9"))).toBe("network/lan: 10.0.0.1");
  });

  it("gets the next pool's address when the first is full", () => {
    const tiny = poolFrom("a", ["10.9.0.1/32"]);
    expect(outcome(requestFrom(), [v4, tiny], occupancyOf("10.9.0.1"))).toBe("network/v4: 10.0.0.0");
  });

  it("gets no network or broadcast address of a pool that avoids them", () => {
    expect(outcome(requestFrom(), [poolFrom("lan", ["10.0.0.0/24"], { avoidBuggyIPs: true })])).toBe(
      "network/lan: 10.0.0.1",
    );
  });

  it("waits while every pool is full, and is told which and how full", () => {
    const tiny = poolFrom("tiny", ["10.9.0.1/32"]);
    const why = refusal(requestFrom(), [tiny, v6], occupancyOf("10.9.0.1"));
    expect(why).toMatchObject({ kind: "poolsFull", pools: [{ pool: "network/tiny", used: 1n, size: 1n }] });
    expect(isPending(why)).toBe(true);
  });

  test.each<{ kind: string; pools: readonly Pool[] }>([
    { kind: "noPools", pools: [] },
    { kind: "noEligiblePool", pools: [poolFrom("manual", ["10.0.0.0/24"], { autoAssign: false })] },
    { kind: "noPoolForFamily", pools: [v6] },
  ])("waits with $kind", ({ kind, pools }) => {
    const why = refusal(requestFrom(), pools);
    expect([why.kind, isPending(why)]).toEqual([kind, true]);
  });
});

describe("a Service of two families", () => {
  test.each<{ rule: string; spec: typeof prefer; pools: readonly Pool[]; expected: string }>([
    {
      rule: "both from one pool where both are needed",
      spec: require,
      pools: [v4, v6, both],
      expected: "network/z-both: 10.1.0.0,fd01::",
    },
    {
      rule: "both from one pool where both are preferred",
      spec: prefer,
      pools: [v4, v6, both],
      expected: "network/z-both: 10.1.0.0,fd01::",
    },
    {
      rule: "one where both are preferred and no pool has both",
      spec: prefer,
      pools: [v6, v4],
      expected: "network/v4: 10.0.0.0",
    },
    {
      rule: "the second family where no pool has the first",
      spec: prefer,
      pools: [v6],
      expected: "network/v6: fd00::",
    },
    {
      rule: "nothing where both are needed and no pool has both",
      spec: require,
      pools: [v4, v6],
      expected: "noPoolForFamily",
    },
  ])("gets $rule", ({ spec, pools, expected }) => {
    expect(outcome(requestFrom({ spec }), pools)).toBe(expected);
  });

  it("gets IPv4 first, whatever the order of its families", () => {
    const spec = { ipFamilies: ["IPv6", "IPv4"], ...require };
    expect(outcome(requestFrom({ spec }), [both])).toBe("network/z-both: 10.1.0.0,fd01::");
  });

  it("gets addresses that it asks for in the order written", () => {
    const request = requestFrom({ spec: require, annotations: pin("fd01::9, 10.1.0.9") });
    expect(outcome(request, [both])).toBe("network/z-both: fd01::9,10.1.0.9");
  });

  it("keeps the order in which it lists them, whatever it asks for now", () => {
    const request = requestFrom({
      spec: require,
      annotations: pin("10.1.0.9,fd01::9"),
      ...held("fd01::9", "10.1.0.9"),
    });
    expect(outcome(request, [both])).toBe("network/z-both: fd01::9,10.1.0.9");
  });
});

describe("a Service that holds an address", () => {
  const mine = new Occupancy();
  mine.take(addressFrom("10.0.0.7"), web);
  mine.take(addressFrom("10.1.0.7"), web);

  test.each<{ rule: string; request: ServiceRequest; pools: readonly Pool[]; expected: string }>([
    { rule: "keeps it", request: requestFrom(held("10.0.0.7")), pools: [v4], expected: "network/v4: 10.0.0.7" },
    {
      rule: "keeps it in a pool that assigns nothing by itself",
      request: requestFrom(held("10.0.0.7")),
      pools: [poolFrom("manual", ["10.0.0.0/24"], { autoAssign: false })],
      expected: "network/manual: 10.0.0.7",
    },
    {
      rule: "keeps it when a better pool appears",
      request: requestFrom(held("10.0.0.7")),
      pools: [poolFrom("best", ["10.5.0.0/24"], { serviceAllocation: { priority: 1 } }), v4],
      expected: "network/v4: 10.0.0.7",
    },
    {
      rule: "keeps it when the pool is renamed",
      request: requestFrom(held("10.0.0.7")),
      pools: [poolFrom("renamed", ["10.0.0.4/30"])],
      expected: "network/renamed: 10.0.0.7",
    },
    {
      rule: "moves when no pool has it",
      request: requestFrom(held("10.0.0.7")),
      pools: [both],
      expected: "network/z-both: 10.1.0.0",
    },
    {
      rule: "moves when its pool serves it no more",
      request: requestFrom(held("10.0.0.7")),
      pools: [poolFrom("lab", ["10.0.0.0/24"], { serviceAllocation: { namespaces: ["lab"] } }), both],
      expected: "network/z-both: 10.1.0.0",
    },
    {
      rule: "moves when it names another pool",
      request: requestFrom({ ...held("10.0.0.7"), poolName: "z-both" }),
      pools: [v4, both],
      expected: "network/z-both: 10.1.0.0",
    },
    {
      rule: "moves when it asks for another",
      request: requestFrom({ annotations: pin("10.0.0.9"), ...held("10.0.0.7") }),
      pools: [v4],
      expected: "network/v4: 10.0.0.9",
    },
    {
      rule: "stays when it asks for its own",
      request: requestFrom({ annotations: pin("10.0.0.7"), ...held("10.0.0.7") }),
      pools: [v4],
      expected: "network/v4: 10.0.0.7",
    },
    {
      rule: "gets the second family from the same pool",
      request: requestFrom({ spec: prefer, ...held("10.1.0.7") }),
      pools: [both],
      expected: "network/z-both: 10.1.0.7,fd01::",
    },
    {
      rule: "stays in its pool when another has both families",
      request: requestFrom({ spec: prefer, ...held("10.0.0.7") }),
      pools: [v4, both],
      expected: "network/v4: 10.0.0.7",
    },
    {
      rule: "moves when it needs both and its pool has one",
      request: requestFrom({ spec: require, ...held("10.0.0.7") }),
      pools: [v4, both],
      expected: "network/z-both: 10.1.0.0,fd01::",
    },
    {
      rule: "drops the family it lost",
      request: requestFrom({ ...held("10.1.0.7", "fd01::7") }),
      pools: [both],
      expected: "network/z-both: 10.1.0.7",
    },
  ])("$rule", ({ request, pools, expected }) => {
    expect(outcome(request, pools, mine)).toBe(expected);
  });

  it("loses it to the Service that the index says holds it", () => {
    expect(outcome(requestFrom(held("10.0.0.0")), [v4], occupancyOf("10.0.0.0"))).toBe("network/v4: 10.0.0.1");
  });

  it("moves off an address that the pool now avoids", () => {
    const pool = poolFrom("lan", ["10.0.0.0/24"], { avoidBuggyIPs: true });
    expect(outcome(requestFrom(held("10.0.0.0")), [pool])).toBe("network/lan: 10.0.0.1");
  });
});

describe("a Service that asks for an address", () => {
  const manual = poolFrom("manual", ["10.7.0.0/24"], { autoAssign: false });
  const lab = poolFrom("lab", ["10.8.0.0/24"], { serviceAllocation: { namespaces: ["lab"] } });
  const careful = poolFrom("careful", ["10.6.0.0/24"], { avoidBuggyIPs: true });

  it("gets it", () => {
    expect(outcome(requestFrom({ annotations: pin("192.168.1.205") }), [homelab])).toBe(
      "network/homelab-pool: 192.168.1.205",
    );
  });

  it("gets it from a pool that assigns nothing by itself", () => {
    expect(outcome(requestFrom({ annotations: pin("10.7.0.9") }), [manual])).toBe("network/manual: 10.7.0.9");
  });

  it("gets the other family from the same pool, where it has two", () => {
    const request = requestFrom({ spec: prefer, annotations: pin("10.1.0.9") });
    expect(outcome(request, [v6, both])).toBe("network/z-both: 10.1.0.9,fd01::");
  });

  it("gets only that one where both are preferred and the pool has one", () => {
    expect(outcome(requestFrom({ spec: prefer, annotations: pin("10.0.0.9") }), [v4, both])).toBe(
      "network/v4: 10.0.0.9",
    );
  });

  it("waits when there is no pool at all", () => {
    const why = refusal(requestFrom({ annotations: pin("192.168.1.205") }), []);
    expect([why.kind, isPending(why), isExhausted(why)]).toEqual(["noPools", true, true]);
  });

  test.each<{ kind: string; text: string; pools: readonly Pool[]; free: string | undefined; poolName?: string }>([
    { kind: "outsidePools", text: "192.168.1.230", pools: [homelab], free: "192.168.1.200" },
    { kind: "pinHeld", text: "192.168.1.205", pools: [v4, homelab], free: "192.168.1.200" },
    { kind: "pinHeld", text: "10.7.0.1", pools: [manual], free: "10.7.0.0" },
    { kind: "pinMayNotServe", text: "10.8.0.1", pools: [lab, v4], free: "10.0.0.0" },
    { kind: "buggyPin", text: "10.6.0.255", pools: [careful], free: "10.6.0.1" },
    { kind: "pinOutsideNamedPool", text: "10.0.0.9", poolName: "careful", pools: [v4, careful], free: "10.6.0.1" },
    { kind: "outsidePools", text: "10.9.9.9", pools: [lab], free: undefined },
  ])("$text is denied as $kind, with $free as one that would do", ({ kind, text, pools, free, poolName }) => {
    const occupancy = occupancyOf("192.168.1.205", "10.7.0.1");
    const why = refusal({ ...requestFrom({ annotations: pin(text) }), poolName }, pools, occupancy);
    expect([why.kind, isPending(why)]).toEqual([kind, false]);
    expect(why).toMatchObject({ free: free === undefined ? undefined : addressFrom(free) });
  });

  it("is denied when its two addresses are of two pools", () => {
    const why = refusal(requestFrom({ spec: require, annotations: pin("10.0.0.9,fd00::9") }), [v4, v6]);
    expect([why.kind, isPending(why)]).toEqual(["pinsInDifferentPools", false]);
  });

  it("is denied when it needs a family that the address's pool lacks", () => {
    const why = refusal(requestFrom({ spec: require, annotations: pin("10.0.0.9") }), [v4, both]);
    expect(why).toMatchObject({ kind: "pinPoolLacksFamily", missing: ["IPv6"] });
    expect(isPending(why)).toBe(false);
  });
});

describe("a Service that names a pool", () => {
  const lab = poolFrom("lab", ["10.8.0.0/24"], { serviceAllocation: { namespaces: ["lab"] } });

  it("gets the lowest free address of that pool, assigning by itself or not", () => {
    const manual = poolFrom("manual", ["10.7.0.0/24"], { autoAssign: false });
    expect(outcome(requestFrom({ poolName: "manual" }), [v4, manual])).toBe("network/manual: 10.7.0.0");
  });

  it("waits while there is no such pool, and is told which there are", () => {
    const why = refusal(requestFrom({ poolName: "dmz" }), [v6, v4]);
    expect(why).toMatchObject({ kind: "unknownPool", named: "dmz", known: ["v4", "v6"] });
    expect(isPending(why)).toBe(true);
  });

  it("is denied one that does not serve it", () => {
    const why = refusal(requestFrom({ poolName: "lab" }), [lab]);
    expect(why).toMatchObject({ kind: "poolMayNotServe", pool: "network/lab", problem: "namespace" });
    expect(isPending(why)).toBe(false);
  });
});

it("asks for nothing to be taken: the same question has the same answer", () => {
  const supply = { pools: [both], occupancy: new Occupancy() };
  const request = requestFrom({ spec: require });
  expect(valueOf(allocate(request, supply))).toEqual(valueOf(allocate(request, supply)));
});
