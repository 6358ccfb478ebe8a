import { expect, test } from "vitest";
import { steps } from "../../hack/src/demo/steps.ts";
import { lab } from "./lab.ts";

test.for(steps)("the demo: $title", async ({ run }) => {
  const shown = await run(await lab());
  expect(shown.join("\n")).not.toContain("{}");
});
