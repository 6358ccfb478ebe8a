import fc from "fast-check";
import { expect, it, test } from "vitest";
import { printAddress } from "../../../core/address/address.ts";
import { parsePlan, parseStatus, printPlan } from "../../../core/announce/plan-text.ts";
import { anyAddress } from "../../support/generators.ts";

it("a plan is compact JSON with its addresses in order", () => {
  const vips = [
    { ip: "192.168.1.201", nodes: ["node-1"] },
    { ip: "192.168.1.200", nodes: ["node-2", "node-1"], interfaces: ["lan0"] },
  ];
  expect(printPlan(7, vips)).toBe(
    '{"v":1,"generation":7,"vips":[{"ip":"192.168.1.200","nodes":["node-2","node-1"],"interfaces":["lan0"]},{"ip":"192.168.1.201","nodes":["node-1"]}]}',
  );
});

const vip = fc.record(
  { ip: anyAddress.map(printAddress), nodes: fc.array(fc.string()), interfaces: fc.array(fc.string()) },
  { requiredKeys: ["ip", "nodes"], noNullPrototype: true },
);

it("parsePlan undoes printPlan, whatever the order of the addresses", () => {
  fc.assert(
    fc.property(fc.nat(), fc.uniqueArray(vip, { selector: ({ ip }) => ip }), (generation, vips) => {
      const text = printPlan(generation, vips);
      expect(printPlan(generation, vips.toReversed())).toBe(text);
      const parsed = parsePlan(text);
      expect(parsed).toMatchObject({ ok: true, value: { generation } });
      if (parsed.ok) expect(printPlan(parsed.value.generation, parsed.value.vips)).toBe(text);
    }),
  );
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
  ['{"v":1,"generation":1,"vips":{}}', { kind: "badShape", path: ".vips" }],
  ['{"v":1,"generation":1,"vips":[{"ip":"::","nodes":["a",1]}]}', { kind: "badShape", path: ".vips[0].nodes[1]" }],
])("parsePlan refuses %s as %j", (text, error) => {
  expect(parsePlan(text)).toEqual({ ok: false, error });
});

it("parseStatus reads what an announcer reports and leaves out what it does not know", () => {
  const text =
    '{"v":1,"generation":7,"extra":{},"answering":[{"ip":"192.168.1.200","since":1,"interfaces":[{"name":"lan0","mac":"02:00:00:00:00:01"}]}],' +
    '"silent":[{"ip":"192.168.1.201","reason":"notFirst"}]}';
  expect(parseStatus(text)).toEqual({
    ok: true,
    value: {
      generation: 7,
      answering: [{ ip: "192.168.1.200", interfaces: [{ name: "lan0", mac: "02:00:00:00:00:01" }] }],
      silent: [{ ip: "192.168.1.201", reason: "notFirst" }],
    },
  });
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
