import fc from "fast-check";
import { expect, it, test } from "vitest";
import { printAddress } from "../../../core/address/address.ts";
import { SHARD_BYTES, generationOf, parsePlan, parseStatus, printPlan } from "../../../core/announce/plan-text.ts";
import type { NodePlan, Vip } from "../../../core/announce/plan-types.ts";
import { valueOf } from "../builders.ts";
import { anyAddress } from "../../support/generators.ts";

const plan = (vips: readonly Vip[], rebalanced: Readonly<Record<string, string>> = {}): NodePlan => ({
  vips,
  rebalanced,
});

it("a plan is compact JSON, its addresses in the order given", () => {
  const vips = [
    { ip: "192.168.1.200", nodes: ["node-2", "node-1"], interfaces: ["lan0"], moving: true as const },
    { ip: "192.168.1.201", nodes: ["node-1"] },
  ];
  expect(printPlan(7, plan(vips, { "network/lan": "now" }))).toEqual([
    '{"v":1,"generation":7,"rebalanced":{"network/lan":"now"},"vips":[{"ip":"192.168.1.200","nodes":["node-2","node-1"],"interfaces":["lan0"],"moving":true},{"ip":"192.168.1.201","nodes":["node-1"]}]}',
  ]);
  expect(printPlan(1, plan([]))).toEqual(['{"v":1,"generation":1,"vips":[]}']);
});

it("a plan that is too long for one Lease is split; the first one tells into how many, each what was rebalanced", () => {
  const vips = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((ip) => ({ ip, nodes: ["node-1"] }));
  const oneBytes = JSON.stringify(vips[0]).length + 1;
  const rebalanced = '{"rebalanced":{"a":"b"}}';
  expect(printPlan(7, plan(vips, { a: "b" }), 2 * oneBytes + rebalanced.length)).toEqual([
    `{"v":1,"generation":7,"shards":2,"rebalanced":{"a":"b"},"vips":[${vips
      .slice(0, 2)
      .map((vip) => JSON.stringify(vip))
      .join()}]}`,
    `{"v":1,"generation":7,"shard":1,"rebalanced":{"a":"b"},"vips":[${JSON.stringify(vips[2])}]}`,
  ]);
});

it("no Lease's plan is longer than allowed, however many addresses a node has, of hundreds of pools", () => {
  const nodes = Array.from({ length: 5 }, (_, index) => `a-node-with-a-rather-long-name-${String(index)}`);
  const vips = Array.from({ length: 5_000 }, (_, index) => ({
    ip: `10.0.${String(index >> 8)}.${String(index & 255)}`,
    nodes,
  }));
  const pools = Array.from({ length: 400 }, (_, index) => [
    `a-namespace/a-rather-long-pool-${String(index)}`,
    "é".repeat(20),
  ]);
  for (const rebalanced of [{}, Object.fromEntries(pools) as Readonly<Record<string, string>>]) {
    const texts = printPlan(1, plan(vips, rebalanced));
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThan(SHARD_BYTES + 200);
  }
});

it("what is to be said of pools leaves half of each Lease for addresses", () => {
  const vips = Array.from({ length: 100 }, (_, index) => ({ ip: `10.0.0.${String(index)}`, nodes: ["node-1"] }));
  const rebalanced = { "network/lan": "x".repeat(10_000) };
  const [count, half] = [printPlan(1, plan(vips, rebalanced), 2_000).length, printPlan(1, plan(vips), 1_000).length];
  expect(count).toBe(half);
});

const vip = fc.record(
  { ip: anyAddress.map(printAddress), nodes: fc.array(fc.string()), interfaces: fc.array(fc.string()) },
  { requiredKeys: ["ip", "nodes"], noNullPrototype: true },
);

it("the plans of all Leases together are the node's plan, and all have its generation", () => {
  const texts = fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true });
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(vip),
      texts,
      fc.integer({ min: 1, max: 200 }),
      (generation, vips, rebalanced, bytes) => {
        const printed = printPlan(generation, { vips, rebalanced }, bytes);
        const parsed = printed.map((text) => valueOf(parsePlan(text)));
        expect(parsed.flatMap((one) => one.vips)).toEqual(vips);
        for (const one of parsed) expect(one.rebalanced).toEqual(rebalanced);
        expect(parsed.map((one) => one.shard)).toEqual([undefined, ...printed.slice(1).map((_, index) => index + 1)]);
        expect(parsed[0]?.shards ?? 1).toBe(printed.length);
        expect(printed.map(generationOf)).toEqual(printed.map(() => generation));
      },
    ),
  );
});

it("a text that is no printed plan has no generation", () => {
  for (const text of ["", "{}", '{"v":1,"generation":-1}', '{"v":1,"generation":"1"}'])
    expect(generationOf(text)).toBe(0);
});

test.each([
  ["", { kind: "notJson" }],
  ["{", { kind: "notJson" }],
  ["null", { kind: "badShape", path: "" }],
  ["[]", { kind: "badShape", path: "" }],
  ["{}", { kind: "badShape", path: ".v" }],
  ['{"v":2}', { kind: "unknownVersion", version: "2" }],
  ['{"v":"1"}', { kind: "unknownVersion", version: '"1"' }],
  ['{"v":1}', { kind: "badShape", path: ".generation" }],
  ['{"v":1,"generation":1,"vips":[],"rebalanced":{"a":1}}', { kind: "badShape", path: ".rebalanced.a" }],
  ['{"v":1,"generation":1,"vips":{}}', { kind: "badShape", path: ".vips" }],
  ['{"v":1,"generation":1,"vips":[{"ip":"::","nodes":["a",1]}]}', { kind: "badShape", path: ".vips[0].nodes[1]" }],
])("parsePlan refuses %s as %j", (text, error) => {
  expect(parsePlan(text)).toEqual({ ok: false, error });
});

const lan0 = { name: "lan0", mac: "02:00:00:00:00:01" };

test.each([
  {
    shape: "one address an entry",
    text: {
      answering: [{ ip: "192.168.1.200", since: 1, interfaces: [lan0] }],
      silent: [{ ip: "192.168.1.201", reason: "notFirst" }],
    },
    read: {
      answering: [{ ips: ["192.168.1.200"], interfaces: [lan0] }],
      silent: [{ ips: ["192.168.1.201"], reason: "notFirst" }],
    },
  },
  {
    shape: "many addresses an entry, or only their number",
    text: {
      answering: [{ ips: ["10.0.0.1", "10.0.0.2"], interfaces: [lan0] }],
      silent: [
        { ips: ["10.0.0.3"], reason: "interfaceMissing" },
        { count: 4_000, reason: "notFirst" },
      ],
    },
    read: {
      answering: [{ ips: ["10.0.0.1", "10.0.0.2"], interfaces: [lan0] }],
      silent: [
        { ips: ["10.0.0.3"], reason: "interfaceMissing" },
        { ips: [], reason: "notFirst" },
      ],
    },
  },
  {
    shape: "ranges where the list would be long, of both families",
    text: { answering: [{ ips: ["10.0.0.1", "10.0.0.255-10.0.1.1", "fd00::ffff-fd00::1:0"], interfaces: [lan0] }] },
    read: {
      answering: [
        {
          ips: ["10.0.0.1", "10.0.0.255", "10.0.1.0", "10.0.1.1", "fd00::ffff", "fd00::1:0"],
          interfaces: [lan0],
        },
      ],
      silent: [],
    },
  },
  {
    shape: "with the interfaces that it has",
    text: { answering: [], silent: [], interfaces: ["lan0", "vlan20"] },
    read: { answering: [], silent: [], interfaces: ["lan0", "vlan20"] },
  },
])("parseStatus reads what an announcer reports, and leaves out what it does not know: $shape", ({ text, read }) => {
  const status = JSON.stringify({ v: 1, generation: 7, extra: {}, ...text });
  expect(parseStatus(status)).toEqual({ ok: true, value: { generation: 7, ...read } });
});

it.each(["10.0.0.0-10.255.255.255", "::-ffff::", "10.0.0.2-10.0.0.1", "a-b"])(
  "parseStatus refuses %s, which is no range or far too long, where it stands",
  (range) => {
    const text = JSON.stringify({ v: 1, generation: 1, answering: [{ ips: ["10.0.0.1", range], interfaces: [lan0] }] });
    expect(parseStatus(text)).toEqual({ ok: false, error: { kind: "badShape", path: ".answering[0].ips" } });
  },
);

it("parseStatus refuses ranges that are too long together", () => {
  const answering = ["10.0.0.0-10.0.255.254", "10.1.0.0-10.1.0.1"].map((range) => ({ ips: [range], interfaces: [] }));
  const text = JSON.stringify({ v: 1, generation: 1, answering });
  expect(parseStatus(text)).toEqual({ ok: false, error: { kind: "badShape", path: ".answering[1].ips" } });
});

it("parsePlan and parseStatus return on any text", () => {
  const json = fc.json().map((inner) => `{"v":1,"generation":1,"vips":${inner},"answering":${inner}}`);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json(), json), (text) => {
      expect(parsePlan(text)).toHaveProperty("ok");
      expect(parseStatus(text)).toHaveProperty("ok");
    }),
  );
});
