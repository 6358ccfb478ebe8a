import { expect, test } from "vitest";
import { readyNodes } from "../../../hack/src/lab/api.ts";
import { pick, pickList, pickText } from "../../../hack/src/lab/json.ts";
import { parseRecord, withoutPart, withPart, type LabRecord } from "../../../hack/src/lab/record.ts";
import { renderRows } from "../../../hack/src/lab/status.ts";

const record: LabRecord = {
  shape: { nodes: 3, ipv6: true, audit: false },
  apiPort: 26_443,
  ready: true,
  parts: [{ name: "etcd", pid: 7, startTicks: 42 }],
};

test("parsing undoes writing", () => {
  expect(parseRecord(JSON.stringify(record))).toEqual(record);
});

test.each(["", "{", "[]", "null", '{"shape":{"nodes":"3"},"apiPort":1}'])("makes nothing of '%s'", (text) => {
  expect(parseRecord(text)).toBeUndefined();
});

test("leaves out a part it cannot tell from another", () => {
  const parts = [{ name: "etcd", pid: 7 }, ...record.parts];
  expect(parseRecord(JSON.stringify({ ...record, parts }))?.parts).toEqual(record.parts);
});

test("a part started again replaces the one before", () => {
  const again = { name: "etcd", pid: 8, startTicks: 50 };
  expect(withPart(record, again).parts).toEqual([again]);
  expect(withoutPart(record, "etcd").parts).toEqual([]);
});

const node = (name: string, ready: string, taints: readonly string[] = []) => ({
  metadata: { name },
  spec: { taints: taints.map((key) => ({ key })) },
  status: { conditions: [{ type: "Ready", status: ready }] },
});

test("counts nodes that are Ready and take pods", () => {
  const items = [
    node("node-1", "True"),
    node("node-2", "Unknown"),
    node("node-3", "True", ["node.kubernetes.io/not-ready"]),
    node("node-4", "True", ["example.org/other"]),
  ];
  expect(readyNodes({ items })).toEqual(["node-1", "node-4"]);
  expect(readyNodes(undefined)).toEqual([]);
});

test("picks values out of anything without a fault", () => {
  const value: unknown = { a: [{ b: "c" }] };
  expect(pick(value, "a", 0, "b")).toBe("c");
  expect(pick(value, "x", "y", "z")).toBeUndefined();
  expect(pickList(value, "a", 0)).toEqual([]);
  expect(pickText(value, "a")).toBe("");
});

test("lines a table up", () => {
  expect(
    renderRows([
      { name: "etcd", pid: "7", state: "running" },
      { name: "kube-apiserver", pid: "-", state: "gone" },
    ]),
  ).toEqual(["etcd                  7  running", "kube-apiserver        -  gone"]);
});
