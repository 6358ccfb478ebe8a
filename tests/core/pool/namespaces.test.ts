import { expect, test } from "vitest";
import { findNamespaceGap } from "../../../core/pool/namespaces.ts";
import type { PoolSpec } from "../../../core/pool/pool.ts";
import { poolFrom } from "../builders.ts";

const known = [
  { name: "shop", labels: { team: "blue" } },
  { name: "lab", labels: {} },
];
const team = (value: string) => ({ matchLabels: { team: value } });

test.each<{ allocation: PoolSpec["serviceAllocation"]; gap: object | undefined }>([
  { allocation: undefined, gap: undefined },
  { allocation: {}, gap: undefined },
  { allocation: { serviceSelectors: [team("red")] }, gap: undefined },
  { allocation: { namespaces: ["shop", "lab"] }, gap: undefined },
  { allocation: { namespaceSelectors: [team("red"), team("blue")] }, gap: undefined },
  { allocation: { namespaceSelectors: [{}] }, gap: undefined },
  { allocation: { namespaces: ["shop"], namespaceSelectors: [team("red")] }, gap: undefined },
  { allocation: { namespaceSelectors: [team("red")] }, gap: { kind: "servesNobody" } },
  { allocation: { namespaces: ["shop", "x"] }, gap: { kind: "missingNamespaces", some: ["x"], count: 1 } },
  {
    allocation: { namespaces: ["d", "c", "b", "a"], namespaceSelectors: [team("red")] },
    gap: { kind: "missingNamespaces", some: ["d", "c", "b"], count: 4 },
  },
])("a pool for $allocation misses $gap", ({ allocation, gap }) => {
  const pool = poolFrom("lan", ["10.0.0.0/24"], { serviceAllocation: allocation });
  expect(findNamespaceGap(pool, known)).toEqual(gap === undefined ? undefined : { ...gap, pool: "network/lan" });
});
