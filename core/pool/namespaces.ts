/** Whether the namespaces that a pool is for exist. */
import type { Labels } from "../labels.ts";
import { matchesAny } from "../labels.ts";
import type { Pool } from "./pool.ts";

/** A namespace that exists. */
export type KnownNamespace = { readonly name: string; readonly labels: Labels };

/** What the pool's choice of namespaces misses; `pool` is namespace/name. */
export type NamespaceGap =
  | {
      readonly kind: "missingNamespaces";
      readonly pool: string;
      /** The first few. */
      readonly some: readonly string[];
      readonly count: number;
    }
  | { readonly kind: "servesNobody"; readonly pool: string };

/** How many namespaces a note names. */
const NAMED = 3;

/** Names of namespaces that do not exist; else, whether the pool's selectors match no namespace, so that nobody is served. */
export function findNamespaceGap(pool: Pool, namespaces: readonly KnownNamespace[]): NamespaceGap | undefined {
  const { namespaces: names = [], namespaceSelectors = [] } = pool.allocation ?? {};
  const missing = names.filter((name) => !namespaces.some((known) => known.name === name));
  if (missing.length > 0)
    return { kind: "missingNamespaces", pool: pool.key, some: missing.slice(0, NAMED), count: missing.length };
  if (names.length > 0 || namespaceSelectors.length === 0) return undefined;
  const isServed = namespaces.some(({ labels }) => matchesAny(namespaceSelectors, labels));
  return isServed ? undefined : { kind: "servesNobody", pool: pool.key };
}
