/** Builds the programs of other projects that the tests use, those that the cache lacks, so that no test has to wait for one. */
import { cacheFolder } from "./cache.ts";
import { helmBinary } from "./helm.ts";
import { kubernetesBinaries } from "./lab/binaries.ts";
import { METALLB, neighbourImages, TRAEFIK } from "./neighbours.ts";

// One after the other: each build takes all processors by itself.
const { kubectl } = await kubernetesBinaries(cacheFolder());
console.log(kubectl);
console.log(await helmBinary());
for (const neighbour of [METALLB, TRAEFIK]) {
  for (const { reference, archive } of await neighbourImages(neighbour)) console.log(`${reference}\t${archive}`);
}
