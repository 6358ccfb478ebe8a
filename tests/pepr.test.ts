import { expect, test } from "vitest";

test("the module loads without a cluster and asks for none", async () => {
  await expect(import("../pepr.ts")).resolves.toBeDefined();
});
