/** Runs last: what the audit log shows used since the lab came up is compared with what is granted. */
import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, it } from "vitest";
import { pickList } from "../../hack/src/lab/json.ts";
import { labPaths } from "../../hack/src/lab/paths.ts";
import { granted, operatorInCluster, ruleOf } from "../../hack/src/rights/granted.ts";
import { announcerExcuses, operatorExcuses } from "../../hack/src/rights/purposes.ts";
import { printRight, rightsOf, unusedRights, usesOf, type Use } from "../../hack/src/rights/rights.ts";
import { lab } from "./lab.ts";
import { otherVersionRan } from "./other-version.ts";

const parts = [
  {
    who: "operator",
    user: "system:serviceaccount:pepr-system:pepr-berth",
    role: ["clusterrole", "pepr-berth"],
    rules: operatorInCluster,
    excuses: operatorExcuses,
  },
  {
    who: "announcer",
    user: "system:serviceaccount:metallb-system:announcer",
    role: ["role", "announcer", "-n", "metallb-system"],
    rules: granted.announcer,
    excuses: announcerExcuses,
  },
];

/** Uses by user, each once. Tests that try what a token may not do are told by their program. */
const uses = new Map<string, Map<string, Use>>(parts.map(({ user }) => [user, new Map()]));

beforeAll(async () => {
  const target = await lab();
  const { logs } = labPaths(target.name, process.env);
  const isOthers = await otherVersionRan(target);
  const files = readdirSync(logs).filter((name) => /^audit.*\.log$/.test(name));
  expect(files).not.toEqual([]);
  for (const file of files) {
    for await (const line of createInterface({ input: createReadStream(join(logs, file)) })) {
      const at = /"requestReceivedTimestamp":"([^"]*)"/.exec(line)?.[1] ?? "";
      if (line.includes('"userAgent":"kubectl') || isOthers(at)) continue;
      for (const use of usesOf(line)) uses.get(use.user)?.set(printRight(use), use);
    }
  }
});

describe.each(parts)("the rights of the $who", ({ user, role, rules, excuses }) => {
  const rights = rightsOf(rules);
  const printed = new Set(rights.map(printRight));
  const used = (): readonly Use[] => [...(uses.get(user)?.values() ?? [])];

  it("are those that the sources and docs/security.md say", async () => {
    const found = pickList(await (await lab()).json(["get", ...role]), "rules").map(ruleOf);
    expect(rightsOf(found).map(printRight).toSorted()).toEqual([...printed].toSorted());
  });

  it("are all that it asked for", () => {
    expect(used().length).toBeGreaterThan(0);
    const asked = used().filter(
      (use) => !printed.has(printRight(use)) && !printed.has(printRight({ ...use, name: undefined })),
    );
    expect(asked.map(printRight)).toEqual([]);
  });

  it("are all used, but for those with a reason", () => {
    const unused = unusedRights(rights, used()).map(printRight);
    expect(unused.filter((right) => !excuses.some((excuse) => excuse.right.test(right)))).toEqual([]);
    const never = excuses.filter((excuse) => excuse.uses === "never");
    const all = [...printed].filter((right) => never.some((excuse) => excuse.right.test(right)));
    expect(all.filter((right) => !unused.includes(right))).toEqual([]);
  });
});
