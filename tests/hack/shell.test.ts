import { expect, test } from "vitest";
import { attempt, machineFirst, run, until } from "../../hack/src/shell.ts";

test("gives what a command printed", async () => {
  expect(await run("printf", ["%s", "text"])).toBe("text");
});

test("hands its input to the command", async () => {
  expect(await run("cat", [], { input: "from here" })).toBe("from here");
});

test("says which command ended badly, how, and what it said last", async () => {
  await expect(run("sh", ["-c", "echo why >&2; exit 3"])).rejects.toThrow(
    'run "sh -c echo why >&2; exit 3": exit code 3: why',
  );
});

test("an attempt gives the exit code instead of failing", async () => {
  expect(await attempt("sh", ["-c", "exit 3"])).toEqual({ code: 3, stdout: "", stderr: "" });
});

test("says which command could not be started", async () => {
  await expect(attempt("/nowhere/at/all", [])).rejects.toThrow('start "/nowhere/at/all"');
});

test("until gives the first value the probe has", async () => {
  const answers = [undefined, undefined, "ready"];
  expect(await until("it", 1_000, 0, () => answers.shift())).toBe("ready");
});

test("until names what it waited for in vain", async () => {
  await expect(until("the moon", 0, 1, () => undefined)).rejects.toThrow("wait for the moon: not within 0 s");
});

test.each([
  { path: "/repo/node_modules/.bin:/usr/bin", ordered: "/usr/bin:/repo/node_modules/.bin" },
  { path: "/usr/sbin:/usr/bin", ordered: "/usr/sbin:/usr/bin" },
  { path: "", ordered: "" },
])("puts the machine's programs first in '$path'", ({ path, ordered }) => {
  expect(machineFirst(path)).toBe(ordered);
});
