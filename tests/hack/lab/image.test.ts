import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { pick, pickText } from "../../../hack/src/lab/json.ts";
import { ociArchive } from "../../../hack/src/lab/oci.ts";
import { tarArchive } from "../../../hack/src/lab/tar.ts";

const unpack = (archive: Buffer, name: string): Buffer =>
  spawnSync("tar", ["--extract", "--to-stdout", "--file=-", name], { input: archive }).stdout;

const list = (archive: Buffer): readonly string[] =>
  spawnSync("tar", ["--list", "--verbose", "--numeric-owner", "--file=-"], { input: archive, env: { TZ: "UTC" } })
    .stdout.toString()
    .trimEnd()
    .split("\n")
    .map((line) => line.replaceAll(/\s+/g, " "));

test.each([0, 1, 511, 512, 513])("tar gives a file of %i bytes back", (length) => {
  const data = Buffer.alloc(length, 7);
  const archive = tarArchive([
    { name: "first", mode: 0o644, data },
    { name: "next", mode: 0o755, data },
  ]);
  expect(unpack(archive, "first")).toEqual(data);
  expect(list(archive)).toEqual([
    `-rw-r--r-- 0/0 ${String(length)} 1970-01-01 00:00 first`,
    `-rwxr-xr-x 0/0 ${String(length)} 1970-01-01 00:00 next`,
  ]);
});

test("a name too long for tar is refused", () => {
  expect(() => tarArchive([{ name: "n".repeat(101), mode: 0o644, data: Buffer.alloc(0) }])).toThrow("too long");
});

const image = { reference: "berth.dev/x:1", program: "x", binary: Buffer.from("program"), architecture: "amd64" };
const archive = ociArchive(image);

const json = (name: string): unknown => JSON.parse(unpack(archive, name).toString());
const blobName = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

test("an image leads from its name to its program", () => {
  const index = json("index.json");
  expect(pick(index, "manifests", 0, "annotations")).toEqual({ "io.containerd.image.name": "berth.dev/x:1" });
  const manifest = json(blobName(pickText(index, "manifests", 0, "digest")));
  const config = json(blobName(pickText(manifest, "config", "digest")));
  expect(config).toMatchObject({ architecture: "amd64", config: { Entrypoint: ["/x"] } });
  const layer = unpack(archive, blobName(pickText(manifest, "layers", 0, "digest")));
  expect(unpack(layer, "x").toString()).toBe("program");
});

test("every blob is named by its content", () => {
  const blobs = list(archive).flatMap((line) => /blobs\/sha256\/(\w+)$/.exec(line)?.[1] ?? []);
  expect(blobs).toHaveLength(3);
  for (const digest of blobs) {
    const content = unpack(archive, `blobs/sha256/${digest}`);
    expect(createHash("sha256").update(content).digest("hex")).toBe(digest);
  }
});

test("the same program gives the same archive", () => {
  expect(ociArchive(image)).toEqual(archive);
});
