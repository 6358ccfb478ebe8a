/** The announcer's metrics, read from where its source registers them. */

/** A metric as it is printed. */
export type Metric = { readonly name: string; readonly type: string; readonly help: string };

const REGISTERED = /(\w+): register\(to, "(\w+)", "([^"]+)"\)/g;
const FIELD = /^ {4}(\w+): (.+),$/gm;
const OF_ADDRESSES =
  /let \w+ = "([^"]+)";\s+self\.family\(text, \("(\w+)", \w+\)|self\.family\(text, \("(\w+)", "([^"]+)"\)/g;
const HEADED = /"# HELP (\w+) ([^"]+)\."/g;

/** Those of metrics.rs, by the type of the field that each is kept in; throws where there are none. */
export function registeredMetrics(source: string): readonly Metric[] {
  const fields = new Map([...source.matchAll(FIELD)].map(([, field = "", type = ""]) => [field, type]));
  const found = [...source.matchAll(REGISTERED)].map(([, field = "", name = "", help = ""]) => {
    const type = (fields.get(field) ?? "").includes("Gauge") ? "gauge" : "counter";
    return { name: `berth_announcer_${name}`, type, help };
  });
  const seconds = /let help = "([^"]+)";\s+to\.register\("(\w+)"/.exec(source);
  const histogram = { name: seconds?.[2] ?? "", type: "histogram", help: seconds?.[1] ?? "" };
  return sound([...found, histogram]);
}

/** Those of metrics/addresses.rs, each with its labels. */
export function addressMetrics(source: string): readonly Metric[] {
  const families = [...source.matchAll(OF_ADDRESSES)].map(([, before, named, inline, help]) => ({
    name: `${named ?? inline ?? ""}{ip}`,
    type: "counter",
    help: before ?? help ?? "",
  }));
  const headed = [...source.matchAll(HEADED)].map(([, name = "", help = ""]) => ({
    name: `${name}{${labelsOf(name, source)}}`,
    type: "gauge",
    help,
  }));
  return sound([...families, ...headed]);
}

/** The names of the labels with which a line of the metric is written. */
function labelsOf(name: string, source: string): string {
  const [, written = ""] = new RegExp(String.raw`"${name}\{\{([^}]*(?:\}[^}]+)*)\}\} `).exec(source) ?? [];
  return [...written.matchAll(/(\w+)=\\"/g)].map(([, label = ""]) => label).join();
}

function sound(metrics: readonly Metric[]): readonly Metric[] {
  if (metrics.length > 1 && metrics.every(({ name, help }) => name !== "" && help !== "")) return metrics;
  throw new Error(
    "the announcer's source registers its metrics in a way that hack/src/reference/metrics.ts can't read",
  );
}
