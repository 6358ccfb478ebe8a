import { expect, test } from "vitest";
import { sameMinor, versionStamps } from "../../../hack/src/lab/binaries.ts";
import { parseHierarchies } from "../../../hack/src/lab/cgroups.ts";
import { parseStartTicks, startTicksOf } from "../../../hack/src/lab/processes.ts";

test.each([
  { machine: "version 2", mounts: "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", found: ["/sys/fs/cgroup 2"] },
  {
    machine: "version 1 with a version 2 beside it",
    mounts: "cgroup /c/cpu cgroup rw,cpu 0 0\ncgroup2 /c/unified cgroup2 rw 0 0\nproc /proc proc rw 0 0",
    found: ["/c/unified 2", "/c/cpu 1"],
  },
  { machine: "one without", mounts: "proc /proc proc rw 0 0", found: [] },
])("finds the cgroup hierarchies of a machine with $machine", ({ mounts, found }) => {
  expect(parseHierarchies(mounts).map(({ mount, version }) => `${mount} ${String(version)}`)).toEqual(found);
});

const stat = (name: string, state: string) =>
  `7 (${name}) ${state} 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 4242 1000 10 184`;

test.each([
  { text: stat("etcd", "S"), ticks: 4242 },
  { text: stat("odd) name (", "R"), ticks: 4242 },
  { text: stat("etcd", "Z"), ticks: undefined },
  { text: "", ticks: undefined },
])("reads the start time out of '$text'", ({ text, ticks }) => {
  expect(parseStartTicks(text)).toBe(ticks);
});

test("knows when this process started, and that no process has an impossible number", () => {
  expect(startTicksOf(process.pid)).toBeGreaterThan(0);
  expect(startTicksOf(2 ** 30)).toBeUndefined();
});

test.each([
  { a: "v1.36.3", b: "v1.36.0", same: true },
  { a: "v1.36.3", b: "v1.35.3", same: false },
  { a: "", b: "v1.36.3", same: false },
])("mixes '$a' with '$b': $same", ({ a, b, same }) => {
  expect(sameMinor(a, b)).toBe(same);
});

test("stamps the version into the binaries", () => {
  expect(versionStamps("v1.36.3")).toContain("-X k8s.io/component-base/version.gitMinor=36");
});
