/** `hack/images`: both images as archives, with what they are made of beside them. */
import { copyFileSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import settings from "../../package.json" with { type: "json" };
import { digestOf, operatorFiles, productImages } from "./images.ts";
import { Misuse, runCommand, say } from "./install/words.ts";
import { announcerComponents, operatorComponents, printSbom } from "./sbom.ts";
import { root } from "./target.ts";

const USAGE = `usage: hack/images [--output FOLDER]
Builds the images of the operator and the announcer for this machine's architecture with buildah, podman or docker, whichever
is there (BERTH_BUILDER names one), and writes an archive and a CycloneDX bill of materials of each to dist/images.
For arm64, such as a Raspberry Pi, run it on an arm64 machine: it builds for where it runs, and nothing for another.
Bring an archive to a node:  ctr -n k8s.io images import FILE     k3s ctr images import FILE
or to a registry:            skopeo copy oci-archive:FILE docker://REGISTRY/NAME:TAG
Docker before 25 writes an archive without a digest; it is told by the word docker-archive, and skopeo reads it as docker-archive:FILE.
`;

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

async function images(): Promise<void> {
  const options = {
    output: { type: "string" },
    arch: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  const { values } = parseArgs({ options });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  if (values.arch !== undefined && values.arch !== architecture) {
    throw new Misuse(
      `this machine builds ${architecture}, not ${values.arch}; run hack/images on a machine of that kind`,
    );
  }
  const folder = values.output ?? join(root, "dist/images");
  mkdirSync(folder, { recursive: true });
  const sboms = [
    printSbom("operator", operatorComponents(await operatorFiles())),
    printSbom("announcer", await announcerComponents()),
  ];
  for (const [index, { reference, archive }] of (await productImages()).entries()) {
    const name = ["operator", "announcer"][index] ?? "";
    const file = join(folder, `${name}-${settings.version}-${architecture}.tar`);
    copyFileSync(archive, file);
    writeFileSync(file.replace(/tar$/, "cdx.json"), sboms[index] ?? "");
    const mebibytes = (statSync(file).size / 2 ** 20).toFixed(1);
    say(`${reference}\t${file}\t${mebibytes} MiB\t${(await digestOf(file)) ?? "docker-archive"}`);
  }
}

if (import.meta.main) await runCommand("images", images);
