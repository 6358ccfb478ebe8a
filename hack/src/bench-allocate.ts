/** How long the choice of an address takes, without a cluster: pools of every size, empty, nearly full and scattered. */
import { allocate } from "../../core/allocation/allocate.ts";
import type { Holder } from "../../core/allocation/holder.ts";
import { Occupancy } from "../../core/allocation/occupancy.ts";
import type { ServiceRequest } from "../../core/allocation/request.ts";
import { readRequest } from "../../core/allocation/request.ts";
import type { Supply } from "../../core/allocation/supply.ts";
import { usablePools } from "../../core/pool/overlap.ts";
import type { Pool, PoolSpec } from "../../core/pool/pool.ts";
import { reporting, spread } from "./bench/report.ts";

type Case = { readonly name: string; readonly request: ServiceRequest; readonly supply: Supply };

/** For how long one case is measured, after a fifth of that to warm up, in milliseconds. */
const CASE_MILLIS = 500;
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
  const spec = { type: "LoadBalancer", ports: [{ port: 80 }] };
  const service = { metadata: { namespace: "default", name: "web", annotations }, spec };
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

const emptyOf = (pools: readonly Pool[]): Supply => ({ pools, occupancy: new Occupancy() });

const supplyOf = (pools: readonly Pool[], isHeld: (place: number, count: number) => boolean): Supply => ({
  pools,
  occupancy: occupancyOf(pools, isHeld),
});

/** Of the first range so many from its start are held: what is nearly full where nobody could fill it. */
function firstHeld(pools: readonly Pool[], count: number): Supply {
  const occupancy = new Occupancy();
  const first = pools[0]?.ranges[0]?.first.value ?? 0n;
  for (let i = 0; i < count; i++) occupancy.take({ family: "IPv6", value: first + BigInt(i) }, holder);
  return { pools, occupancy };
}

/** All held but the last address of the last pool, so that every pool is looked at. */
function oneFree(pools: readonly Pool[]): Supply {
  const occupancy = occupancyOf(pools, () => true);
  const last = pools.at(-1)?.ranges[0]?.last;
  if (last !== undefined) occupancy.release(last);
  return { pools, occupancy };
}

/** The sizes that a home, a company and an IPv6 network use. */
function* sizes(): Generator<Case> {
  const v4 = requestFor("IPv4");
  const v6 = requestFor("IPv6");
  const small = poolsOf(["192.168.1.200-192.168.1.220"]);
  const large = poolsOf(["10.0.0.0/16"]);
  const huge = poolsOf(["fd00::/64"]);
  yield { name: "21 addresses, empty", request: v4, supply: emptyOf(small) };
  yield { name: "21 addresses, one free at the end", request: v4, supply: supplyOf(small, allButLast) };
  yield { name: "65,536 addresses, empty", request: v4, supply: emptyOf(large) };
  yield { name: "65,536 addresses, one free at the end", request: v4, supply: supplyOf(large, allButLast) };
  yield { name: "2^64 addresses, empty", request: v6, supply: emptyOf(huge) };
  yield { name: "2^64 addresses, the first 1,000,000 held", request: v6, supply: firstHeld(huge, 1_000_000) };
}

/** Where a slow search would show. */
function* hardCases(): Generator<Case> {
  const v4 = requestFor("IPv4");
  const large = poolsOf(["10.0.0.0/12"]);
  const pin = requestFor("IPv4", { "metallb.io/loadBalancerIPs": "10.7.7.7" });
  yield {
    name: "1,048,576 addresses, a held one asked for, one free at the end",
    request: pin,
    supply: supplyOf(large, allButLast),
  };
  yield { name: "1,048,576 addresses, every second held", request: v4, supply: supplyOf(large, everySecond) };
  const careful = poolsOf(["10.0.0.0-10.15.255.254"], { avoidBuggyIPs: true });
  const isHeld = (place: number, count: number): boolean => place < count - 1 && place % 256 > 0 && place % 256 < 255;
  yield {
    name: "1,048,575 addresses, .0 and .255 avoided, one free at the end",
    request: v4,
    supply: supplyOf(careful, isHeld),
  };
}

/** Services with one key, each of which uses the port that the next one wants: none of their addresses can be shared. */
function* crowdsOfSharers(): Generator<Case> {
  const request = requestFor("IPv4", { "metallb.io/allow-shared-ip": "k" });
  for (const count of [100, 1000, 10_000]) {
    const pools = poolsOf(["10.0.0.0/16"]);
    const occupancy = new Occupancy();
    const first = pools[0]?.ranges[0]?.first.value ?? 0n;
    for (let i = 0; i < count; i++) {
      const sharer = { namespace: "default", name: `web-${String(i)}`, terms: [request.terms] };
      occupancy.take({ family: "IPv4", value: first + BigInt(i) }, { kind: "shared", sharers: [sharer] });
    }
    yield { name: `a key that ${String(count)} others have, all on its port`, request, supply: { pools, occupancy } };
  }
}

function* numbersOfPools(): Generator<Case> {
  const v4 = requestFor("IPv4");
  for (const count of [1, 100, 1000]) {
    const many = poolsOf(Array.from({ length: count }, (_, i) => `10.${String(i >> 8)}.${String(i & 255)}.0/24`));
    yield { name: `${String(count)} pools of 256, empty`, request: v4, supply: emptyOf(many) };
    yield { name: `${String(count)} pools of 256, one address free`, request: v4, supply: oneFree(many) };
  }
}

/** The duration of each run in microseconds, for so long. */
function measure(run: () => unknown, millis: number): readonly number[] {
  const durations: number[] = [];
  const end = performance.now() + millis;
  for (let start = performance.now(); start < end; ) {
    run();
    const now = performance.now();
    durations.push((now - start) * 1000);
    start = now;
  }
  return durations;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function report(name: string, micros: readonly number[]): void {
  const print = reporting("allocate", { samples: micros.length });
  print(name, { rate: micros.length / (sum(micros) / 1_000_000) }, "ops/s");
  print(name, spread(micros), "µs");
}

function* cases(): Generator<Case> {
  yield* sizes();
  yield* numbersOfPools();
  yield* hardCases();
  yield* crowdsOfSharers();
}

for (const { name, request, supply } of cases()) {
  const result = allocate(request, supply);
  const run = (): unknown => allocate(request, supply);
  measure(run, CASE_MILLIS / 5);
  report(`${name} (${result.ok ? "given" : result.error.kind})`, measure(run, CASE_MILLIS));
}

const million = 1_000_000;
const order = (i: number): bigint => 0x0a00_0000n + BigInt((i * 7919) % million);
const index = new Occupancy();
const takes = Array.from({ length: million }, (_, i) => {
  const start = performance.now();
  index.take({ family: "IPv4", value: order(i) }, holder);
  return (performance.now() - start) * 1000;
});
report("take of 1,000,000 scattered addresses, each", takes);
