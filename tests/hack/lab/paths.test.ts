import { expect, test } from "vitest";
import { containerdSocket, labPaths, unusablePaths } from "../../../hack/src/lab/paths.ts";

test("keeps a lab's state and its cache where the XDG variables say", () => {
  const paths = labPaths("two", { XDG_STATE_HOME: "/s", XDG_CACHE_HOME: "/c" });
  expect(paths).toMatchObject({ state: "/s/berth/two", lock: "/s/berth/two.lock", cache: "/c/berth" });
});

test("falls back to the home folder", () => {
  const paths = labPaths("berth", { HOME: "/home/ann" });
  expect(paths).toMatchObject({ state: "/home/ann/.local/state/berth/berth", cache: "/home/ann/.cache/berth" });
});

test("reaches a node's containerd through the node's own folder", () => {
  const paths = labPaths("berth", { XDG_STATE_HOME: "/s" });
  expect(containerdSocket(paths, "node-1")).toBe("/s/berth/berth/nodes/node-1/run/containerd/containerd.sock");
});

test.each(["/run", "/var/lib", "/var/log/deep"])("refuses state below %s, which nodes replace", (home) => {
  expect(unusablePaths(labPaths("berth", { XDG_STATE_HOME: home }))).toContain("which each node replaces");
});

test("refuses a state folder too deep for unix sockets", () => {
  const refusal = unusablePaths(labPaths("berth", { XDG_STATE_HOME: `/${"deep/".repeat(12)}` }));
  expect(refusal).toContain("too long for unix sockets");
});

test.each(["/root/.local/state", "/tmp/lab", "/varied"])("takes state below %s", (home) => {
  expect(unusablePaths(labPaths("berth", { XDG_STATE_HOME: home }))).toBeUndefined();
});
