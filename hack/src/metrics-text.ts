/** Reads Prometheus' text. */

/** The sum of a metric over its labels, or over those lines that have these; 0 while there is none. */
export function sumOf(text: string, name: string, labels = ""): number {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const wanted = lines.filter((line) => line.includes(labels));
  return wanted.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
