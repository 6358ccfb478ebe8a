/** Tar archives (POSIX ustar): pure, files in, bytes out. */

export type TarEntry = { readonly name: string; readonly mode: number; readonly data: Buffer };

const BLOCK = 512;

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

function header(entry: TarEntry): Buffer {
  const block = Buffer.alloc(BLOCK);
  const fields: readonly (readonly [at: number, text: string])[] = [
    [0, entry.name],
    [100, octal(entry.mode, 8)],
    [108, octal(0, 8)],
    [116, octal(0, 8)],
    [124, octal(entry.data.length, 12)],
    [136, octal(0, 12)], // time 0: the same content gives the same archive
    [148, " ".repeat(8)],
    [156, "0"],
    [257, "ustar\u000000"],
  ];
  for (const [at, text] of fields) block.write(text, at, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** One archive of these files, owned by root. Names are at most 100 bytes; a longer one throws. */
export function tarArchive(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    if (Buffer.byteLength(entry.name) > 100) throw new Error(`file name "${entry.name}" is too long for tar`);
    const padding = Buffer.alloc((BLOCK - (entry.data.length % BLOCK)) % BLOCK);
    return [header(entry), entry.data, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}
