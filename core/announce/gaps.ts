/** Whether what an advertisement names and chooses exists. */
import type { Labels, Selector } from "../labels.ts";
import { matchesAny } from "../labels.ts";
import type { Advertisement } from "./advertisement.ts";

/** An object that exists, as far as advertisements choose by it. */
export type Choosable = { readonly name: string; readonly labels: Labels };

/** What an advertisement misses; `advertisement` is namespace/name. */
export type AdvertisementGap =
  | {
      readonly kind: "missingPools";
      readonly advertisement: string;
      /** The first few. */
      readonly some: readonly string[];
      readonly count: number;
    }
  | { readonly kind: "choosesNoPool"; readonly advertisement: string }
  | { readonly kind: "choosesNoNode"; readonly advertisement: string };

/** How many pools a note names. */
const NAMED = 3;

/** Pools by name that do not exist, else that no pool is chosen; and that no node is. */
export function findGaps(
  advertisement: Advertisement,
  { pools, nodes }: { readonly pools: readonly Choosable[]; readonly nodes: readonly Choosable[] },
): readonly AdvertisementGap[] {
  const ofPools = findPoolGap(advertisement, pools);
  const hasNode = chooses(advertisement.nodeSelectors, nodes);
  const ofNodes = { kind: "choosesNoNode", advertisement: advertisement.key } as const;
  return [...(ofPools === undefined ? [] : [ofPools]), ...(hasNode ? [] : [ofNodes])];
}

function findPoolGap(
  { key, poolNames, poolSelectors }: Advertisement,
  pools: readonly Choosable[],
): AdvertisementGap | undefined {
  const missing = poolNames.filter((name) => !pools.some((pool) => pool.name === name));
  if (missing.length > 0)
    return { kind: "missingPools", advertisement: key, some: missing.slice(0, NAMED), count: missing.length };
  const isChosen = poolNames.length > 0 || chooses(poolSelectors, pools);
  return isChosen ? undefined : { kind: "choosesNoPool", advertisement: key };
}

/** Whether the selectors choose any; no selectors choose all there are. */
const chooses = (selectors: readonly Selector[], all: readonly Choosable[]): boolean =>
  all.some(({ labels }) => selectors.length === 0 || matchesAny(selectors, labels));
