import { describe, expect, it, test } from "vitest";
import { nameOf, overlay, parseObjects, printObjects } from "../../../hack/src/install/object.ts";
import { differences } from "./differences.ts";

describe("an overlay", () => {
  test.each([
    { whole: { a: 1, b: 2 }, part: { b: 3 }, gives: { a: 1, b: 3 }, what: "replaces a field" },
    { whole: { a: { b: 1 } }, part: { a: { c: 2 } }, gives: { a: { b: 1, c: 2 } }, what: "merges objects" },
    { whole: { a: [1] }, part: { a: [2] }, gives: { a: [2] }, what: "replaces a list without names" },
    {
      whole: { l: [{ name: "x", a: 1 }, { name: "y" }] },
      part: { l: [{ name: "x", b: 2 }, { name: "z" }] },
      gives: { l: [{ name: "x", a: 1, b: 2 }, { name: "y" }, { name: "z" }] },
      what: "merges named entries and adds new ones",
    },
  ])("$what", ({ whole, part, gives }) => {
    expect(overlay(whole, part)).toEqual(gives);
  });
});

describe("YAML", () => {
  it("is read as kubectl reads it", () => {
    expect(parseObjects("mode: 0400\nquoted: 'yes'\n")).toEqual([{ mode: 256, quoted: "yes" }]);
  });

  it("is printed so that kubectl reads the same", () => {
    const objects = [{ a: "yes", b: "0400", c: "on", d: [{ name: "1.0" }], e: "@x", f: "line\nline\n" }];
    expect(parseObjects(printObjects(objects))).toEqual(objects);
  });
});

describe("differences", () => {
  const set = (...objects: Parameters<typeof nameOf>[0][]): Parameters<typeof differences>[0] =>
    new Map(objects.map((object) => [nameOf(object), object]));
  const pod = (spec: object): Parameters<typeof nameOf>[0] => ({
    kind: "Pod",
    metadata: { name: "a" },
    spec: { ...spec },
  });

  it("are none between what says the same in another order", () => {
    const [left, right] = [
      { env: [{ name: "x" }, { name: "y" }], n: 1 },
      { n: 1, env: [{ name: "y" }, { name: "x" }] },
    ];
    expect(differences(set(pod(left)), set(pod(right)))).toEqual([]);
  });

  it("are named by object and place, missing objects too", () => {
    const left = set(pod({ env: [{ name: "x", value: "1" }], list: [1, 2] }));
    const right = set(pod({ env: [{ name: "x", value: "2" }], list: [1] }), { kind: "Node", metadata: { name: "b" } });
    expect(differences(left, right)).toEqual(["Node b", "Pod a spec.env.x.value", "Pod a spec.list.1"]);
  });
});
