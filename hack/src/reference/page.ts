/** Makes the text of docs/reference.md: every name that a person or a program meets, from the source itself. */
import { keys } from "../../../core/keys.ts";
import { announced, events, ready } from "./reasons.ts";
import type { Metric } from "./metrics.ts";
import { names, type Name } from "./names.ts";
import { settings } from "./settings.ts";

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const code = (text: string): string => `\`${text}\``;

function namesTable(isOf: (name: Name) => boolean): string {
  const chosen = Object.entries(names).filter(([, name]) => isOf(name));
  const rows = chosen.map(([key, { on, by, says }]) => [code(keys[key as keyof typeof names]), on, by, says]);
  return table(["name", "on", "written by", "says"], rows);
}

const reasons = (all: Readonly<Record<string, string>>): string =>
  table(
    ["reason", "means"],
    Object.entries(all).map(([reason, says]) => [code(reason), says]),
  );

/** The whole page. */
export function referencePage(metrics: readonly Metric[], presets: Readonly<Record<string, string>>): string {
  return `# Reference

Made from the source by \`npm run generate\`; edit \`hack/src/reference\`, not this page.

## What you write

${namesTable(({ by }) => by === "you")}

A Service is Berth's when it has no \`spec.loadBalancerClass\`, or ${code(keys.loadBalancerClass)}.

## What Berth writes

${namesTable(({ by }) => by !== "you")}

## Conditions

### ${keys.addressAssigned}, on a Service

True while it has its addresses. The reason is ${code(keys.assigned)}, or the name of one of the [messages](messages.md) with a capital letter, such as
\`PoolsFull\`; a Service that has an address, and asks for something that can't be had, is True with such a reason.

### ${keys.announced}, on a Service

True while a node answers for each of its addresses.

${reasons(announced)}

### ${keys.ready}, on an IPAddressPool and an L2Advertisement

${reasons(ready)}

## Events

${table(
  ["reason", "on", "type", "means"],
  Object.entries(events).map(([reason, { on, type, says }]) => [code(reason), on, type, says]),
)}

A pool that works and about which something is to be said has a Warning under the reason of its condition, such as \`ContainsNodeAddresses\`.

## Metrics of the announcer

On port 17475 of each node, \`/metrics\`; what their labels mean is in [announcer.md](announcer.md).

${table(
  ["metric", "type", "what it says"],
  metrics.map(({ name, type, help }) => [code(name), type, help]),
)}

## Settings of the operator

Environment variables of the Deployments in \`${keys.operatorNamespace}\`; \`package.json\` sets them under \`pepr.env\`.

${table(
  ["name", "where it is not set", "as installed", "what it does"],
  Object.entries(settings).map(([name, { preset, says }]) => [code(name), preset, presets[name] ?? "", says]),
)}
`;
}
