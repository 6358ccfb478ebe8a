/** The images, built for real: with buildah that takes root. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, test, vi } from "vitest";
import settings from "../../package.json" with { type: "json" };
import { announcerFiles, buildImage, builders, digestOf, operatorFiles, references } from "../../hack/src/images.ts";
import { pick, pickText } from "../../hack/src/lab/json.ts";
import { announcerComponents, operatorComponents, printSbom } from "../../hack/src/sbom.ts";
import { run } from "../../hack/src/shell.ts";

const BUILD_MILLIS = 600_000;
const folder = mkdtempSync(join(tmpdir(), "berth-images-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const filesOf = { operator: operatorFiles, announcer: announcerFiles };
const found = await builders();
const oci = found.filter((builder) => builder !== "docker");
const builds = oci.flatMap((builder) => (["operator", "announcer"] as const).map((name) => ({ builder, name })));

afterEach(() => {
  vi.unstubAllEnvs();
});

test("there is something to build with", () => {
  expect(found).not.toEqual([]);
});

describe.each(builds)("the image of the $name, built with $builder", ({ builder, name }) => {
  it(
    "has the same digest when it is built a second time, runs as nobody, and says what it is",
    { timeout: BUILD_MILLIS },
    async () => {
      const files = await filesOf[name]();
      vi.stubEnv("BERTH_BUILDER", builder);
      const archives = ["first", "second"].map((word) => join(folder, `${builder}-${name}-${word}.tar`));
      for (const archive of archives) await buildImage(name, files, archive);
      const digests = await Promise.all(archives.map(digestOf));
      expect(digests[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(digests[1]).toBe(digests[0]);
      const { config } = await contents(archives[0] ?? "");
      expect(pickText(config, "config", "User")).toBe("65532:65532");
      expect(pick(config, "config", "Labels")).toMatchObject({
        "org.opencontainers.image.title": `berth ${name}`,
        "org.opencontainers.image.version": settings.version,
        "org.opencontainers.image.licenses": "Apache-2.0",
      });
      expect(references[name]).toBe(`berth.dev/${name}:${settings.version}`);
    },
  );
});

describe.runIf(found.includes("docker"))("built with docker", () => {
  it.each(["operator", "announcer"] as const)(
    "the image of the %s has its name",
    { timeout: BUILD_MILLIS },
    async (name) => {
      vi.stubEnv("BERTH_BUILDER", "docker");
      const archive = join(folder, `docker-${name}.tar`);
      await buildImage(name, await filesOf[name](), archive);
      const manifest: unknown = JSON.parse(await run("tar", ["-xOf", archive, "manifest.json"]));
      expect(pick(manifest, 0, "RepoTags")).toEqual([references[name]]);
    },
  );
});

test("an archive in the format of Docker before 25 has no digest", async () => {
  const inside = join(folder, "manifest.json");
  writeFileSync(inside, JSON.stringify([{ RepoTags: [references.announcer] }]));
  const archive = join(folder, "old.tar");
  await run("tar", ["-cf", archive, "-C", folder, "manifest.json"]);
  expect(await digestOf(archive)).toBeUndefined();
});

test("a builder that is not there is named", async () => {
  vi.stubEnv("BERTH_BUILDER", "kaniko");
  const built = buildImage("announcer", new Map(), join(folder, "never.tar"));
  await expect(built).rejects.toThrow("there is no kaniko to build images with; install one of them");
});

/** The configuration of the image in an archive. */
async function contents(archive: string): Promise<{ readonly config: unknown }> {
  const blob = async (digest: string): Promise<unknown> =>
    JSON.parse(await run("tar", ["-xOf", archive, `blobs/${digest.replace(":", "/")}`]));
  const manifest = await blob((await digestOf(archive)) ?? "");
  return { config: await blob(pickText(manifest, "config", "digest")) };
}

describe("the bills of materials", () => {
  it("name what is in the operator's image, in its version, and nothing that is for development", async () => {
    const names = operatorComponents(await operatorFiles()).map(({ purl, name }) => purl ?? name);
    expect(names).toContain(`pkg:npm/pepr@${settings.dependencies.pepr}`);
    expect(names).toContain("pkg:npm/%40kubernetes/client-node@1.4.0");
    expect(names).toContain(`pkg:generic/node@${process.versions.node}`);
    expect(names.some((name) => name.endsWith("libc.so.6"))).toBe(true);
    expect(names.filter((name) => /\/(vitest|eslint|typescript|cap)@/.test(name))).toEqual([]);
  });

  it("name what is linked into the announcer, and neither its tests nor the compiler's macros", async () => {
    const names = (await announcerComponents()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["announcer", "tokio", "kube-client", "ring"]));
    expect(names.filter((name) => /^(proptest|smoltcp|syn|thiserror-impl|cc)$/.test(name))).toEqual([]);
  });

  it("are the same when they are made again, each part in it once and with a licence", async () => {
    const parts = [...operatorComponents(await operatorFiles()), ...(await announcerComponents())];
    expect(printSbom("x", parts)).toBe(printSbom("x", parts.toReversed()));
    const libraries = parts.filter(({ purl }) => purl !== undefined);
    expect(libraries.filter(({ licenses }) => licenses === undefined).map(({ name }) => name)).toEqual([]);
  });
});
