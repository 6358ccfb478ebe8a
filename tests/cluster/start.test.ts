import { expect, test } from "vitest";
import { roleOf } from "../../cluster/start.ts";

test.each([
  { environment: { PEPR_MODE: "build" }, role: "none" },
  { environment: { PEPR_MODE: "dev" }, role: "none" },
  { environment: { PEPR_WATCH_MODE: "true" }, role: "watcher" },
  { environment: { PEPR_WATCH_MODE: "false" }, role: "admission" },
  { environment: {}, role: "admission" },
])("a process with $environment is $role", ({ environment, role }) => {
  expect(roleOf(environment)).toBe(role);
});
