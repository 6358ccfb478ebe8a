import { expect, test } from "vitest";
import { sumOf } from "../../hack/src/metrics-text.ts";

const TEXT = [
  "# TYPE takeovers_total counter",
  'takeovers_total{cause="dead"} 2',
  'takeovers_total{cause="planned"} 3',
  "takeovers_total_seconds 9",
  "yields_total 4",
  "",
].join("\n");

test.each([
  { name: "takeovers_total", labels: "", sum: 5 },
  { name: "takeovers_total", labels: 'cause="dead"', sum: 2 },
  { name: "yields_total", labels: "", sum: 4 },
  { name: "fences_total", labels: "", sum: 0 },
])("$name $labels is $sum, by the metric's whole name", ({ name, labels, sum }) => {
  expect(sumOf(TEXT, name, labels)).toBe(sum);
});
