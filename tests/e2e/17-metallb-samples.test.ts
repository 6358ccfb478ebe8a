/** MetalLB's own examples on Berth's CRDs; tests/migration has those of BGP, on the CRDs that a cluster brings along. */
import { expect, test } from "vitest";
import { tryOut, upstreamSamples } from "../migration/samples.ts";
import { lab } from "./lab.ts";

const samples = (await upstreamSamples()).filter(({ isLayer2 }) => isLayer2);

test("there are such samples", () => {
  expect(samples.length).toBeGreaterThan(4);
});

test.each(samples)("$name applies unchanged", async (sample) => {
  await tryOut(await lab(), sample);
});
