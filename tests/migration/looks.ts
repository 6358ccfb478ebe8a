/** What clients and kubectl see of a cluster that moves over. */
import { expect } from "vitest";
import { pickList, pickText } from "../../hack/src/lab/json.ts";
import type { Target } from "../../hack/src/target.ts";
import type { Seen } from "./prober.ts";

/** The longest time that a client may be without an address. */
const GAP_MILLIS = 2_000;

/** Fails with the figures of all addresses, so that one run tells everything. */
export function expectShort(seen: Record<string, Seen>, count: number): void {
  console.log(JSON.stringify(seen));
  expect(Object.keys(seen)).toHaveLength(count);
  expect(Object.values(seen).every(({ got }) => got > 10)).toBe(true);
  expect(Object.values(seen).filter(({ longestGapMillis }) => longestGapMillis > GAP_MILLIS)).toEqual([]);
}

/** The condition of each object that has it, as "status reason". */
export async function conditionsOf(
  { json }: Target,
  kind: string,
  type: string,
): Promise<Readonly<Record<string, string>>> {
  const items = pickList(await json(["get", kind, "-A"]), "items");
  return Object.fromEntries(
    items.flatMap((item) => {
      const condition = pickList(item, "status", "conditions").find((one) => pickText(one, "type") === type);
      if (condition === undefined) return [];
      const said = `${pickText(condition, "status")} ${pickText(condition, "reason")}`;
      return [[`${pickText(item, "metadata", "namespace")}/${pickText(item, "metadata", "name")}`, said]];
    }),
  );
}

/** Those of the Services that Berth announces. */
export async function announcedOf(target: Target, services: readonly string[]): Promise<readonly string[]> {
  const conditions = await conditionsOf(target, "svc", "berth.dev/Announced");
  return services.filter((key) => conditions[key]?.startsWith("True") === true);
}
