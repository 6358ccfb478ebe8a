/** What a benchmark prints: one JSON object a line, each with the conditions it was taken under. */
import { availableParallelism, loadavg } from "node:os";

/** The conditions of a figure; `load` tells how busy the machine was, as the mean number of running processes of the last minute. */
export type Conditions = Readonly<Record<string, string | number | boolean>>;

/** Prints figures of one benchmark. */
export type Report = (name: string, figures: Readonly<Record<string, number>>, unit: string) => void;

const machine = (): Conditions => ({
  cpus: availableParallelism(),
  load: Number((loadavg()[0] ?? 0).toFixed(1)),
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
});

/** A report of the benchmark `bench`; `more` stands in each line beside the machine's conditions. */
export const reporting =
  (bench: string, more: Conditions = {}): Report =>
  (name, figures, unit) => {
    for (const [stat, value] of Object.entries(figures)) {
      const line = { bench, case: name, stat, value: Number(value.toFixed(2)), unit, ...more, ...machine() };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    }
  };

/** The value below which a share of the samples lies; 0 where there are none. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** The usual figures of samples. */
export const spread = (samples: readonly number[]): Readonly<Record<"p50" | "p99" | "max", number>> => ({
  p50: quantile(samples, 0.5),
  p99: quantile(samples, 0.99),
  max: quantile(samples, 1),
});
