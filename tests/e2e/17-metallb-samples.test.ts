/** MetalLB's own examples on Berth's CRDs, those of BGP included; tests/migration has them on a cluster that was MetalLB's. */
import { expect, test } from "vitest";
import { tryOut, upstreamSamples } from "../migration/samples.ts";
import { lab } from "./lab.ts";

const samples = await upstreamSamples();

test("there are such samples, of layer 2 and of BGP", () => {
  const ofBgp = samples.filter(({ unspoken }) => unspoken.length > 0);
  expect(ofBgp.length).toBeGreaterThan(9);
  expect(samples.length - ofBgp.length).toBeGreaterThan(4);
});

test.each(samples)(
  "$name applies unchanged, and of each object of BGP it is said that nothing comes of it",
  async (sample) => {
    const { unspoken } = sample;
    expect(await tryOut(await lab(), sample)).toEqual({ dryRun: unspoken, applied: unspoken });
  },
);
