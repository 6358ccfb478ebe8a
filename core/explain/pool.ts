/** Sentences about pools and advertisements. */
import { printAddress } from "../address/address.ts";
import { printRange } from "../address/range.ts";
import type { StrandedAddresses } from "../allocation/refusal.ts";
import type { AdvertisementRefusal } from "../announce/advertisement.ts";
import type { PoolOverlap, PoolRefusal } from "../pool/refusal.ts";
import type { SteeringRefusal } from "../pool/steering.ts";
import { keys } from "../keys.ts";
import { explainRange, specialWords } from "./range.ts";
import { explainList } from "./selector.ts";

/** One sentence about a pool. */
export function explainPool(refusal: PoolRefusal | PoolOverlap | SteeringRefusal | StrandedAddresses): string {
  if ("subject" in refusal) return explainList(refusal);
  const thing = `IPAddressPool "${refusal.pool}"`;
  switch (refusal.kind) {
    case "noAddresses":
      return `${thing} has no addresses; list at least one range in spec.addresses`;
    case "noUsableAddress":
      return `${thing} has only addresses that avoidBuggyIPs keeps back; add a range or turn avoidBuggyIPs off`;
    case "badRange":
      return `${thing} has in spec.addresses ${explainRange(refusal.problem)}`;
    case "specialRange":
      return `${thing} has in spec.addresses ${JSON.stringify(refusal.entry)}, which holds ${specialWords(refusal.special)}; use addresses of your own network`;
    case "selfOverlap":
      return `${thing} has ${printRange(refusal.range)} and ${printRange(refusal.earlier)}, which overlap; keep each address in one entry`;
    case "poolOverlap":
      return `${thing} has ${printRange(refusal.range)}, which overlaps ${printRange(refusal.otherRange)} of IPAddressPool "${refusal.other}"; keep each address in one pool`;
    case "badSteering":
      return `${thing} has in its annotation ${refusal.annotation} ${JSON.stringify(refusal.value)}; ${STEERING_WORDS[refusal.wants]}`;
    case "strandedAddresses":
      return `${thing} would lose ${listLost(refusal)}; keep the addresses in a pool, move the Services first, or set the annotation ${keys.poolAllowRenumbering}: "true" on it to have them renumbered`;
  }
}

const STEERING_WORDS: Readonly<Record<SteeringRefusal["wants"], string>> = {
  duration: "write a duration such as 30s, 10m or 1h30m, at most 168h",
  flag: 'write "true" or "false"',
};

function listLost({ lost, count }: StrandedAddresses): string {
  const named = lost.map(
    ({ address, holder }) => `${printAddress(address)} (Service "${holder.namespace}/${holder.name}")`,
  );
  const rest = count - named.length;
  return `${named.join(", ")}${rest > 0 ? ` and ${String(rest)} more` : ""}, ${count === 1 ? "which is" : "which are"} in use`;
}

/** One sentence about an advertisement. */
export function explainAdvertisement(refusal: AdvertisementRefusal): string {
  if (refusal.kind !== "badWeight") return explainList(refusal);
  const weight = refusal.weight === undefined ? "none" : String(refusal.weight);
  return `L2Advertisement "${refusal.advertisement}" has in spec.preferredNodeSelectors the weight ${weight}; write a whole number from 1 to 100`;
}
