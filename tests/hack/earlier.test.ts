import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { forgetUnused, imagesIn } from "../../hack/src/earlier.ts";

const cell = { folder: "" };
beforeEach(() => {
  cell.folder = mkdtempSync(join(tmpdir(), "berth-earlier-"));
});
afterEach(() => {
  rmSync(cell.folder, { recursive: true });
});

/** A commit's folder that was last used at that hour. */
function usedAt(hour: number, commit: string): void {
  mkdirSync(join(cell.folder, commit, "hack"), { recursive: true });
  writeFileSync(join(cell.folder, commit, "hack/file"), "");
  utimesSync(join(cell.folder, commit), hour * 3_600, hour * 3_600);
}

const [a, b, c, d] = ["a", "b", "c", "d"].map((digit) => digit.repeat(40)) as [string, string, string, string];

test("the commits that were not used for longest are forgotten", () => {
  usedAt(1, d);
  usedAt(4, a);
  usedAt(2, b);
  usedAt(3, c);
  forgetUnused(cell.folder, 2);
  expect(readdirSync(cell.folder).toSorted()).toEqual([a, c]);
});

test("a few commits are all kept, and what is being extracted counts for none", () => {
  usedAt(1, a);
  usedAt(2, b);
  usedAt(3, `${c}.4711`);
  forgetUnused(cell.folder, 2);
  expect(readdirSync(cell.folder).toSorted()).toEqual([a, b, `${c}.4711`]);
});

/** A build as that of a commit leaves its cache: an image, and Cargo's folder. */
function built(cache: string): Promise<readonly string[]> {
  const [images, target] = [join(cache, "berth/images"), join(cache, "berth/target/release")];
  for (const one of [images, target]) mkdirSync(one, { recursive: true });
  const archive = join(images, "announcer.tar");
  for (const file of [archive, join(target, "announcer")]) writeFileSync(file, "");
  return Promise.resolve([archive]);
}

test("the images of a commit are built once, and its cache holds nothing else", async () => {
  const builds: string[] = [];
  const build = (cache: string) => {
    builds.push(cache);
    return built(cache);
  };
  const archives = await imagesIn(cell.folder, build);
  expect(archives.map((archive) => existsSync(archive))).toEqual([true]);
  expect(readdirSync(join(cell.folder, ".cache/berth"))).toEqual(["images"]);
  expect(await imagesIn(cell.folder, build)).toEqual(archives);
  expect(builds).toHaveLength(1);
});

test("a build that failed is done again", async () => {
  const failed = imagesIn(cell.folder, () => Promise.reject(new Error("no compiler")));
  await expect(failed).rejects.toThrow("no compiler");
  expect(await imagesIn(cell.folder, built)).toHaveLength(1);
});
