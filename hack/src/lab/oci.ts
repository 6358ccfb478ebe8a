/** Container images in the OCI layout (image-spec v1): pure, one program in, the archive's bytes out. */
import { createHash } from "node:crypto";
import { tarArchive, type TarEntry } from "./tar.ts";

export type ImageOf = {
  /** Full name with tag, such as "berth.dev/lab-web:1". */
  readonly reference: string;
  /** Path of the program in the image, without leading slash; it is the entrypoint. */
  readonly program: string;
  readonly binary: Buffer;
  /** Architecture as Go calls it. */
  readonly architecture: string;
};

type Blob = { readonly digest: string; readonly data: Buffer };

function blob(data: Buffer): Blob {
  return { digest: createHash("sha256").update(data).digest("hex"), data };
}

const jsonBlob = (value: unknown): Blob => blob(Buffer.from(JSON.stringify(value)));

const descriptor = (mediaType: string, { digest, data }: Blob): Readonly<Record<string, unknown>> => ({
  mediaType: `application/vnd.oci.image.${mediaType}`,
  digest: `sha256:${digest}`,
  size: data.length,
});

/** An archive that `ctr images import` takes, holding one image with one program. */
export function ociArchive(image: ImageOf): Buffer {
  const layer = blob(tarArchive([{ name: image.program, mode: 0o755, data: image.binary }]));
  const config = jsonBlob({
    architecture: image.architecture,
    os: "linux",
    config: { Entrypoint: [`/${image.program}`] },
    rootfs: { type: "layers", diff_ids: [`sha256:${layer.digest}`] },
  });
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("config.v1+json", config),
    layers: [descriptor("layer.v1.tar", layer)],
  });
  const index = jsonBlob({
    schemaVersion: 2,
    manifests: [
      {
        ...descriptor("manifest.v1+json", manifest),
        annotations: { "io.containerd.image.name": image.reference },
      },
    ],
  });
  const file = (name: string, data: Buffer): TarEntry => ({ name, mode: 0o644, data });
  return tarArchive([
    file("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
    file("index.json", index.data),
    ...[manifest, config, layer].map(({ digest, data }) => file(`blobs/sha256/${digest}`, data)),
  ]);
}
