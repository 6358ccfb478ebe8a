/** Makes the tables of docs/security.md from the rules themselves. */
import { granted } from "./granted.ts";
import {
  announcerExcuses,
  announcerPurposes,
  operatorExcuses,
  operatorPurposes,
  type Excuse,
  type Purposes,
} from "./purposes.ts";
import { printRight, rightsOf, type Rule } from "./rights.ts";

type Row = { readonly resource: string; readonly verbs: readonly string[]; readonly names: readonly string[] };

/** One row for each resource of each rule. */
function rowsOf(rules: readonly Rule[]): readonly Row[] {
  return rules.flatMap((rule) =>
    rule.apiGroups.flatMap((group) =>
      rule.resources.map((resource) => ({
        resource: group === "" ? resource : `${resource}.${group}`,
        verbs: rule.verbs,
        names: rule.resourceNames ?? [],
      })),
    ),
  );
}

const keyOf = ({ resource, names }: Row): string => (names.length === 0 ? resource : `${resource}, named`);
const code = (text: string): string => `\`${text}\``;

/** A table of the rules with what each is for; throws where one has no purpose, or a purpose has no rule. */
export function rightsTable(rules: readonly Rule[], purposes: Purposes): string {
  const rows = rowsOf(rules);
  const keys = new Set(rows.map(keyOf));
  const left = Object.keys(purposes).filter((key) => !keys.has(key));
  if (left.length > 0) throw new Error(`hack/src/rights/purposes.ts has purposes of no rule: ${left.join("; ")}`);
  const lines = rows.map((row) => {
    const why = purposes[keyOf(row)];
    if (why === undefined)
      throw new Error(`hack/src/rights/purposes.ts has no purpose of ${keyOf(row)}; write it there`);
    const names = row.names.length === 0 ? "" : ` ${row.names.map(code).join(", ")}`;
    return `| ${code(row.resource)}${names} | ${row.verbs.join(", ")} | ${why} |`;
  });
  return ["| resource | verbs | what for |", "| --- | --- | --- |", ...lines].join("\n");
}

/** A table of the rights that a run of the tests may leave unused. */
export function excusesTable(
  granted: Readonly<Record<string, readonly Rule[]>>,
  excuses: Readonly<Record<string, readonly Excuse[]>>,
): string {
  const lines = Object.entries(excuses).flatMap(([who, list]) => {
    const rights = rightsOf(granted[who] ?? []).map(printRight);
    return list.map(({ right, uses, why }) => {
      const meant = rights.filter((one) => right.test(one));
      if (meant.length === 0)
        throw new Error(`hack/src/rights/purposes.ts excuses ${String(right)}, which ${who} does not have`);
      return `| ${who} | ${meant.map(code).join(", ")} | ${uses} | ${why} |`;
    });
  });
  return ["| who | right | used | why it is there |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

/** A page with its tables made anew, each between its own two comments. */
export function withRights(page: string): string {
  const tables = {
    operator: rightsTable(granted.operator, operatorPurposes),
    announcer: rightsTable(granted.announcer, announcerPurposes),
    unused: excusesTable(granted, { operator: operatorExcuses, announcer: announcerExcuses }),
  };
  return Object.entries(tables).reduce((text, [name, table]) => {
    const begin = `<!-- made by npm run generate: ${name} -->`;
    const [before, rest] = text.split(begin);
    const after = rest?.slice(rest.indexOf("<!-- end -->"));
    if (before === undefined || after === undefined) throw new Error(`docs/security.md has no "${begin}"; put it back`);
    return `${before}${begin}\n\n${table}\n\n${after}`;
  }, page);
}
