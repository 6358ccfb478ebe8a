/** How long the choice of an address takes: pools of every size, empty, nearly full and as scattered as can be. */
import { allocate } from "../../core/allocation/allocate.ts";
import type { Holder } from "../../core/allocation/holder.ts";
import { Occupancy } from "../../core/allocation/occupancy.ts";
import type { ServiceRequest } from "../../core/allocation/request.ts";
import { readRequest } from "../../core/allocation/request.ts";
import type { Supply } from "../../core/allocation/supply.ts";
import { usablePools } from "../../core/pool/overlap.ts";
import type { Pool, PoolSpec } from "../../core/pool/pool.ts";

type Case = { readonly name: string; readonly request: ServiceRequest; readonly supply: Supply };

const WARM_UP = 2_000;
const SAMPLES = 20_000;
const holder: Holder = { kind: "service", namespace: "default", name: "other" };

function poolsOf(addresses: readonly string[], spec: Omit<PoolSpec, "addresses"> = {}): readonly Pool[] {
  return usablePools(
    addresses.map((range, index) => ({
      metadata: { name: `pool-${String(index)}`, namespace: "network" },
      spec: { addresses: [range], ...spec },
    })),
  ).usable;
}

function requestFor(family: "IPv4" | "IPv6", annotations: Readonly<Record<string, string>> = {}): ServiceRequest {
  const service = { metadata: { namespace: "default", name: "web", annotations }, spec: { type: "LoadBalancer" } };
  const request = readRequest(service, { primaryFamily: family }, {});
  if (!request.ok) throw new Error(`the bench asks for nonsense: ${request.error.kind}`);
  return request.value;
}

/** An index in which every address of the pools is held of which `isHeld` says so, by its place in its range. */
function occupancyOf(pools: readonly Pool[], isHeld: (place: number, count: number) => boolean): Occupancy {
  const occupancy = new Occupancy();
  for (const { first, last } of pools.flatMap((pool) => pool.ranges)) {
    const count = Number(last.value - first.value) + 1;
    for (let place = 0; place < count; place++) {
      const address = { family: first.family, value: first.value + BigInt(place) };
      if (isHeld(place, count)) occupancy.take(address, holder);
    }
  }
  return occupancy;
}

const allButLast = (place: number, count: number): boolean => place < count - 1;
const everySecond = (place: number, count: number): boolean => place % 2 === 0 && place < count - 1;

function* cases(): Generator<Case> {
  const v4 = requestFor("IPv4");
  const v6 = requestFor("IPv6");
  const small = poolsOf(["192.168.1.200-192.168.1.220"]);
  const large = poolsOf(["10.0.0.0/12"]);
  const careful = poolsOf(["10.0.0.0-10.15.255.254"], { avoidBuggyIPs: true });
  const huge = poolsOf(["fd00::/64"]);
  yield { name: "21 addresses, empty", request: v4, supply: { pools: small, occupancy: new Occupancy() } };
  yield { name: "21 addresses, one free at the end", request: v4, supply: supplyOf(small, allButLast) };
  yield { name: "1,048,576 addresses, empty", request: v4, supply: { pools: large, occupancy: new Occupancy() } };
  const full = supplyOf(large, allButLast);
  yield { name: "1,048,576 addresses, one free at the end", request: v4, supply: full };
  const pin = requestFor("IPv4", { "metallb.io/loadBalancerIPs": "10.7.7.7" });
  yield { name: "1,048,576 addresses, a held one asked for, one free at the end", request: pin, supply: full };
  const last = careful[0]?.ranges[0]?.last.value ?? 0n;
  const avoided = supplyOf(
    careful,
    (place) => BigInt(place) !== (last & 0xfffffn) && place % 256 > 0 && place % 256 < 255,
  );
  yield { name: "1,048,575 addresses, .0 and .255 avoided, one free at the end", request: v4, supply: avoided };
  yield { name: "1,048,576 addresses, every second held", request: v4, supply: supplyOf(large, everySecond) };
  yield { name: "2^64 addresses, empty", request: v6, supply: { pools: huge, occupancy: new Occupancy() } };
  yield { name: "2^64 addresses, the first 1,000,000 held", request: v6, supply: firstHeld(huge, 1_000_000) };
  for (const count of [1, 100, 1000]) {
    const many = poolsOf(Array.from({ length: count }, (_, i) => `10.${String(i >> 8)}.${String(i & 255)}.0/24`));
    yield {
      name: `${String(count)} pools of 256, empty`,
      request: v4,
      supply: { pools: many, occupancy: new Occupancy() },
    };
    const lastFree = many.at(-1)?.ranges[0]?.last;
    const occupancy = occupancyOf(many, () => true);
    if (lastFree !== undefined) occupancy.release(lastFree);
    yield { name: `${String(count)} pools of 256, one address free`, request: v4, supply: { pools: many, occupancy } };
  }
}

const supplyOf = (pools: readonly Pool[], isHeld: (place: number, count: number) => boolean): Supply => ({
  pools,
  occupancy: occupancyOf(pools, isHeld),
});

function firstHeld(pools: readonly Pool[], count: number): Supply {
  const occupancy = new Occupancy();
  const first = pools[0]?.ranges[0]?.first.value ?? 0n;
  for (let i = 0; i < count; i++) occupancy.take({ family: "IPv6", value: first + BigInt(i) }, holder);
  return { pools, occupancy };
}

/** The duration of each run in microseconds, ascending. */
function measure(run: () => unknown, samples: number): readonly number[] {
  for (let i = 0; i < Math.min(WARM_UP, samples); i++) run();
  const durations: number[] = [];
  for (let i = 0; i < samples; i++) {
    const start = performance.now();
    run();
    durations.push((performance.now() - start) * 1000);
  }
  return durations.toSorted((a, b) => a - b);
}

function report(name: string, sorted: readonly number[]): void {
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const conditions = {
    unit: "µs",
    samples: sorted.length,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
  for (const [stat, value] of [
    ["p50", at(0.5)],
    ["p99", at(0.99)],
    ["max", at(1)],
  ] as const) {
    console.log(
      JSON.stringify({ bench: "allocate", case: name, stat, value: Number(value.toFixed(2)), ...conditions }),
    );
  }
}

for (const { name, request, supply } of cases()) {
  const result = allocate(request, supply);
  const samples = supply.pools.length > 1 ? SAMPLES / 10 : SAMPLES;
  report(
    `${name} (${result.ok ? "given" : result.error.kind})`,
    measure(() => allocate(request, supply), samples),
  );
}

const million = 1_000_000;
const order = (i: number): bigint => 0x0a00_0000n + BigInt((i * 7919) % million);
const index = new Occupancy();
let next = 0;
report(
  "take of 1,000,000 scattered addresses, each",
  Array.from({ length: million }, () => {
    const start = performance.now();
    index.take({ family: "IPv4", value: order(next++) }, holder);
    return (performance.now() - start) * 1000;
  }).toSorted((a, b) => a - b),
);
