/** Why a pool is refused: values only, explain makes the text. */
import type { Range, RangeProblem } from "../address/range.ts";
import type { ListRefusal } from "../labels.ts";
import type { SpecialKind } from "./special.ts";

/** What is wrong with a pool by itself; `pool` is namespace/name. */
export type PoolRefusal =
  | { readonly kind: "noAddresses"; readonly pool: string }
  | { readonly kind: "noUsableAddress"; readonly pool: string }
  | { readonly kind: "badRange"; readonly pool: string; readonly entry: string; readonly problem: RangeProblem }
  | { readonly kind: "specialRange"; readonly pool: string; readonly entry: string; readonly special: SpecialKind }
  | { readonly kind: "selfOverlap"; readonly pool: string; readonly range: Range; readonly earlier: Range }
  | ListRefusal;

/** Two pools that have addresses in common; the other one is the older. */
export type PoolOverlap = {
  readonly kind: "poolOverlap";
  readonly pool: string;
  readonly range: Range;
  readonly other: string;
  readonly otherRange: Range;
};
