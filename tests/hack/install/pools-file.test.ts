import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { namespacesOf, readPoolsFile } from "../../../hack/src/install/pools-file.ts";
import { nameOf } from "../../../hack/src/install/object.ts";
import { root } from "../../../hack/src/target.ts";

const folder = mkdtempSync(join(tmpdir(), "berth-pools-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const pool = (addresses: string, name = "home"): string =>
  `apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: ${name}, namespace: network}\nspec: {addresses: [${addresses}]}\n`;

function read(text: string): ReturnType<typeof readPoolsFile> {
  const path = join(folder, "pools.yaml");
  writeFileSync(path, text);
  return readPoolsFile(path);
}

test.each([
  { why: "is no YAML", text: "a: [b\n", says: "can't be read" },
  { why: "is empty", text: "", says: "holds no objects" },
  { why: "has an address that is none", text: pool("10.0.0.300-10.0.0.310"), says: "10.0.0.300" },
  {
    why: "has two pools that overlap",
    text: `${pool("10.0.0.0/24")}---\n${pool("10.0.0.5-10.0.0.9", "other")}`,
    says: "overlap",
  },
  {
    why: "has no pool",
    text: "apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata: {name: a}\n",
    says: "holds no IPAddressPool",
  },
  {
    why: "holds something else",
    text: "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
    says: "Pod a of v1 is no pool",
  },
  { why: "holds what has no kind", text: "addresses: [10.0.0.0/24]\n", says: "no apiVersion" },
  {
    why: "is of a version that was never",
    text: pool("10.0.0.0/24").replace("v1beta1", "v1"),
    says: "metallb.io/v1beta1",
  },
])("a pool file that $why is refused in one line", ({ text, says }) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^pool file ".*pools\.yaml"[^\n]*$/) as string }),
  );
  expect(() => read(text)).toThrow(says);
});

test("a pool file that is not there is refused", () => {
  expect(() => readPoolsFile("/nonexistent.yaml")).toThrow(`pool file "/nonexistent.yaml" can't be read`);
});

test("a pool file may hold namespaces, and what it has in which namespaces is known", () => {
  const objects = read(`apiVersion: v1\nkind: Namespace\nmetadata: {name: network}\n---\n${pool("10.0.0.0/24")}`);
  expect(objects.map(nameOf)).toEqual(["Namespace network", "IPAddressPool network/home"]);
  expect(namespacesOf(objects)).toEqual(["network"]);
});

test("the samples are good pool files", () => {
  const sample = (name: string): ReturnType<typeof readPoolsFile> =>
    readPoolsFile(join(root, "manifests/samples", name));
  expect(sample("homelab-pool.yaml").map(nameOf)).toEqual(["IPAddressPool network/homelab-pool"]);
  expect(sample("internal-and-dmz-pools.yaml")).toHaveLength(2);
});
