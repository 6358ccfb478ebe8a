/** What docs/install.md asks of the machine that installs, npm and kubectl, is enough for a fresh checkout. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cacheFolder } from "../../hack/src/cache.ts";
import { kubernetesBinaries } from "../../hack/src/lab/binaries.ts";
import { findExecutable, installedFolders } from "../../hack/src/executables.ts";
import { attempt, run } from "../../hack/src/shell.ts";
import { root } from "../../hack/src/target.ts";

/** What every Linux machine has. */
const COMMON = "bash cat cmp dirname env flock grep head id mktemp readlink rm sed sh tail uname".split(" ");

const folder = mkdtempSync(join(tmpdir(), "berth-bare-"));
const [programs, checkout] = [join(folder, "bin"), join(folder, "berth")];

beforeAll(async () => {
  mkdirSync(programs);
  mkdirSync(checkout);
  const own = installedFolders().filter((place) => !place.includes("node_modules"));
  const files = [...COMMON, "npm"].map((name) => [name, findExecutable(name, own) ?? expect.fail(name)] as const);
  const { kubectl } = await kubernetesBinaries(cacheFolder());
  for (const [name, file] of [...files, ["node", process.execPath], ["kubectl", kubectl]] as const)
    symlinkSync(realpathSync(file), join(programs, name));
  const script = `git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - | tar -x -C ${checkout}`;
  await run("bash", ["-c", script], { cwd: root });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it("hack/bootstrap brings what it needs itself, nothing that wants a compiler, and then asks the cluster", async () => {
  const env = { PATH: programs, KUBECONFIG: join(folder, "none") };
  const { code, stderr } = await attempt(join(checkout, "hack/bootstrap"), ["--check"], { env });
  const [brought, asked] = stderr.split("\n");
  expect([code, brought]).toEqual([1, "setup: installing the npm packages"]);
  expect(asked).toMatch(/^bootstrap: no cluster answers in kubectl's context "none" /);
  expect(existsSync(join(checkout, "node_modules/cap/build"))).toBe(false);
});

it("a second time it installs nothing", async () => {
  const env = { PATH: programs };
  const { code, stderr } = await attempt(join(checkout, "hack/bootstrap"), ["--help"], { env });
  expect([code, stderr]).toEqual([0, ""]);
});

it("without npm it says what to install", async () => {
  rmSync(join(programs, "npm"));
  const { code, stderr } = await attempt(join(checkout, "hack/remove"), ["--help"], { env: { PATH: programs } });
  expect([code, stderr]).toEqual([
    1,
    "setup: there is no npm; install Node.js 22 or newer with npm, from https://nodejs.org or your packages\n",
  ]);
});
