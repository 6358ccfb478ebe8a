/** Sentences about pools and advertisements. */
import { printAddress } from "../address/address.ts";
import { printRange } from "../address/range.ts";
import type { StrandedAddresses } from "../allocation/refusal.ts";
import type { AdvertisementRefusal } from "../announce/advertisement.ts";
import type { AdvertisementGap } from "../announce/gaps.ts";
import type { NamespaceGap } from "../pool/namespaces.ts";
import type { PoolOverlap, PoolRefusal } from "../pool/refusal.ts";
import type { SteeringRefusal } from "../pool/steering.ts";
import type { NodeAddress, PoolCollision } from "../pool/surroundings.ts";
import { keys } from "../keys.ts";
import { explainRange, specialWords } from "./range.ts";
import { explainList } from "./selector.ts";

/** What is wrong with a pool. */
export type PoolFault = PoolRefusal | PoolOverlap | PoolCollision | SteeringRefusal;

/** One sentence about a pool. */
export function explainPool(refusal: PoolFault | NamespaceGap | StrandedAddresses): string {
  if ("subject" in refusal) return explainList(refusal);
  if (isBesideOthers(refusal)) return explainBesideOthers(refusal);
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
    case "badSteering":
      return `${thing} has in its annotation ${refusal.annotation} ${JSON.stringify(refusal.value)}; ${STEERING_WORDS[refusal.wants]}`;
    case "strandedAddresses":
      return `${thing} would lose ${listLost(refusal)}; keep the addresses in a pool, move the Services first, or set the annotation ${keys.poolAllowRenumbering}: "true" on it to have them renumbered`;
  }
}

/** What shows only beside other objects. */
type BesideOthers = PoolOverlap | PoolCollision | NamespaceGap;

const KINDS_BESIDE_OTHERS: Readonly<Record<BesideOthers["kind"], true>> = {
  poolOverlap: true,
  nodeAddresses: true,
  serviceRange: true,
  missingNamespaces: true,
  servesNobody: true,
};

const isBesideOthers = (refusal: { readonly kind: string }): refusal is BesideOthers =>
  Object.hasOwn(KINDS_BESIDE_OTHERS, refusal.kind);

function explainBesideOthers(refusal: BesideOthers): string {
  const thing = `IPAddressPool "${refusal.pool}"`;
  switch (refusal.kind) {
    case "nodeAddresses":
      return `${thing} has ${listed(refusal.some.map(printNodeAddress), refusal.count)}; leave addresses of Nodes out of spec.addresses`;
    case "poolOverlap":
      return `${thing} has ${printRange(refusal.range)}, which overlaps ${printRange(refusal.otherRange)} of IPAddressPool "${refusal.other}"; keep each address in one pool`;
    case "serviceRange":
      return `${thing} has ${printRange(refusal.range)}, which overlaps ${printRange(refusal.serviceRange)} of ServiceCIDR "${refusal.serviceCidr}", where ClusterIPs come from; use addresses outside it`;
    case "missingNamespaces":
      return `${thing} names in spec.serviceAllocation.namespaces ${missing(refusal)}`;
    case "servesNobody":
      return `${thing} serves no Service, since its spec.serviceAllocation.namespaceSelectors match no namespace; label a namespace or correct them`;
  }
}

const printNodeAddress = ({ node, address }: NodeAddress): string => `${printAddress(address)} of Node "${node}"`;

/** Some things, and how many there are beside them. */
function listed(some: readonly string[], count: number): string {
  const rest = count - some.length;
  const all = rest > 0 ? [...some, `${String(rest)} more`] : some;
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} and ${all.at(-1) ?? ""}`;
}

function missing({ some, count }: { readonly some: readonly string[]; readonly count: number }): string {
  const names = listed(
    some.map((name) => JSON.stringify(name)),
    count,
  );
  return count === 1
    ? `${names}, which does not exist; create it or correct the name`
    : `${names}, which do not exist; create them or correct the names`;
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
export function explainAdvertisement(refusal: AdvertisementRefusal | AdvertisementGap): string {
  if ("subject" in refusal) return explainList(refusal);
  if (refusal.kind !== "badWeight") return explainGap(refusal);
  const weight = refusal.weight === undefined ? "none" : String(refusal.weight);
  return `L2Advertisement "${refusal.advertisement}" has in spec.preferredNodeSelectors the weight ${weight}; write a whole number from 1 to 100`;
}

function explainGap(gap: AdvertisementGap): string {
  const thing = `L2Advertisement "${gap.advertisement}"`;
  switch (gap.kind) {
    case "missingPools":
      return `${thing} names in spec.ipAddressPools ${missing(gap)}`;
    case "choosesNoPool":
      return `${thing} announces nothing, since there is no IPAddressPool that it chooses; create one, or correct spec.ipAddressPoolSelectors`;
    case "choosesNoNode":
      return `${thing} announces nothing, since there is no Node that it chooses; label one, or correct spec.nodeSelectors`;
  }
}
