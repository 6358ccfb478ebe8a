import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pinnedModule } from "../../hack/src/go-programs.ts";
import { METALLB, TRAEFIK } from "../../hack/src/neighbours.ts";

test.each([METALLB, TRAEFIK])("hack/$name pins a version of $module", ({ name, module }) => {
  const goMod = readFileSync(join(import.meta.dirname, "../../hack", name, "go.mod"), "utf8");
  expect(pinnedModule(goMod, module)).toMatch(/^v\d+\.\d+\.\d+$/);
});

test("a replacement is not taken for the version", () => {
  const goMod =
    "module x\n\nrequire (\n\texample.com/c v0.1.0 // indirect\n)\nrequire example.com/a v1.2.3\n\nreplace example.com/a => example.com/b v9.9.9\n";
  expect(pinnedModule(goMod, "example.com/a")).toBe("v1.2.3");
  expect(pinnedModule(goMod, "example.com/c")).toBe("v0.1.0");
  expect(() => pinnedModule(goMod, "example.com/b")).toThrow("pins no version");
});
