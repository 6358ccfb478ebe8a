/** Sentences about what the pools cannot serve. */
import type { Address } from "../address/address.ts";
import { printAddress } from "../address/address.ts";
import { printAddressList } from "../address/list.ts";
import { printRange } from "../address/range.ts";
import type { Holder } from "../allocation/holder.ts";
import { servicesOf } from "../allocation/holder.ts";
import type { Loss } from "../allocation/keep.ts";
import type { AllocationRefusal, PoolRanges, PoolUse } from "../allocation/refusal.ts";
import type { SharingConflict } from "../allocation/sharing.ts";
import { keys } from "../keys.ts";
import type { ServeProblem } from "../pool/serve.ts";
import { joinFamilies } from "./request.ts";

type Pinned = Extract<AllocationRefusal, { readonly source: string }>;
type Unpinned = Exclude<AllocationRefusal, Pinned>;

/** How many pools or ranges a sentence lists before it only counts. */
const LISTED = 5;

/** One sentence about a request that the pools at hand cannot serve. */
export const explainAllocation = (refusal: AllocationRefusal): string =>
  "source" in refusal ? explainPinned(refusal) : explainUnpinned(refusal);

const nameOf = ({ service }: AllocationRefusal): string => `Service "${service.namespace}/${service.name}"`;

function explainPinned(refusal: Pinned): string {
  switch (refusal.kind) {
    case "pinsInDifferentPools":
      return `${nameOf(refusal)} asks for ${refusal.pins.map(({ address, pool }) => `${printAddress(address)} of IPAddressPool "${pool}"`).join(" and ")}; ask for addresses of one pool`;
    case "pinPoolLacksFamily":
      return `${nameOf(refusal)} asks for ${printAddressList(refusal.pins)} of IPAddressPool "${refusal.pool}", which has no ${joinFamilies(refusal.missing)} addresses; ask for one of a pool that has both families, or set spec.ipFamilyPolicy to SingleStack`;
    default:
      return `${nameOf(refusal)} asks for ${printAddress(refusal.address)}, ${explainPin(refusal)}; ${advise(refusal.free, refusal.source)}`;
  }
}

type OnePin = Extract<Pinned, { readonly address: Address }>;

function explainPin(refusal: OnePin): string {
  switch (refusal.kind) {
    case "outsidePools":
      return `which is outside ${listPools(refusal.pools)}`;
    case "pinHeld":
      return `which ${explainHeld(refusal.holder, refusal.conflict)}`;
    case "pinMayNotServe":
      return `which is in IPAddressPool "${refusal.pool}", ${explainServe(refusal.problem)}`;
    case "buggyPin":
      return `which IPAddressPool "${refusal.pool}" keeps back (avoidBuggyIPs)`;
    case "pinInInertPool":
      return `which is in IPAddressPool "${refusal.pool}", ${INERT}`;
    case "pinOutsideNamedPool":
      return `which is in IPAddressPool "${refusal.pool}", though it names the pool ${JSON.stringify(refusal.named)}`;
  }
}

const advise = (free: Address | undefined, source: string): string =>
  free === undefined
    ? `no address that would do is free, so free one or extend a pool`
    : `ask for a free one such as ${printAddress(free)}, or remove ${isAnnotation(source) ? "the annotation" : source} to be given one`;

/** About a pool with a fault, which its condition tells. */
const INERT = "which gives no addresses as it is";

const isAnnotation = (source: string): boolean => source.includes("/");

const explainServe = (problem: ServeProblem): string =>
  problem === "namespace" ? "which does not serve this namespace" : "which does not serve Services with these labels";

function explainHeld(holder: Holder, conflict: SharingConflict | undefined): string {
  const who = printHolder(holder);
  if (holder.kind === "service" && holder.isResting === true) {
    return `rests since ${who} gave it up (annotation ${keys.poolCoolDown} of its pool)`;
  }
  if (conflict === undefined || conflict.kind === "noKey") return `${who} holds`;
  return `${who} holds and does not share with it: ${explainConflict(conflict)}`;
}

function explainConflict(conflict: Exclude<SharingConflict, { readonly kind: "noKey" }>): string {
  switch (conflict.kind) {
    case "notShared":
      return `it has no annotation ${keys.shareNew}`;
    case "otherKey":
      return conflict.key === ""
        ? `it has no annotation ${keys.shareNew}`
        : `its annotation ${keys.shareNew} says ${JSON.stringify(conflict.key)}`;
    case "samePorts":
      return `both use ${conflict.ports.join(" and ")}`;
    case "otherBackend":
      return "their externalTrafficPolicy, or with Local their selector, differs";
    case "otherNamespace":
      return `it is in another namespace, and the pool has no annotation ${keys.poolCrossNamespaceSharing}: "true" or their externalTrafficPolicy is Local`;
  }
}

/** Why a Service can't keep an address, as a clause about the address. */
export const explainParting = (parting: Loss["parting"]): string =>
  parting.kind === "held"
    ? `which ${explainHeld(parting.holder, parting.conflict)}`
    : `which is in IPAddressPool "${parting.pool}", ${explainServe(parting.problem)}`;

function printHolder(holder: Holder): string {
  if (holder.kind === "other") return holder.what;
  return servicesOf(holder)
    .map(({ namespace, name }) => `Service "${namespace}/${name}"`)
    .join(" and ");
}

function listPools(pools: readonly PoolRanges[]): string {
  const texts = pools.map(
    ({ pool, ranges }) => `IPAddressPool "${pool}" (${shorten(ranges.map(printRange), "ranges")})`,
  );
  return pools.length === 1 ? texts.join("") : `every pool: ${shorten(texts, "pools")}`;
}

const namePools = (pools: readonly string[]): string =>
  shorten(
    pools.map((pool) => `IPAddressPool "${pool}"`),
    "pools",
  );

function shorten(texts: readonly string[], what: string): string {
  const rest = texts.length - LISTED;
  return rest > 0 ? `${texts.slice(0, LISTED).join(", ")} and ${String(rest)} more ${what}` : texts.join(", ");
}

function explainUnpinned(refusal: Unpinned): string {
  if ("named" in refusal) return explainNamed(refusal);
  return "pool" in refusal ? explainOfPool(refusal) : explainOpen(refusal);
}

type Named = Extract<Unpinned, { readonly named: string }>;

/** About a pool that the Service names. */
function explainNamed(refusal: Named): string {
  const thing = `${nameOf(refusal)} asks for the pool ${JSON.stringify(refusal.named)}`;
  switch (refusal.kind) {
    case "unknownPool":
      return `${thing}, which does not exist; create it, or ask for one that does (${shorten(refusal.known, "pools")})`;
    case "ambiguousPool":
      return `${thing}, a name that ${refusal.candidates.map((pool) => `IPAddressPool "${pool}"`).join(" and ")} have; ask for one of them as namespace/name`;
  }
}

type OfPool = Extract<Exclude<Unpinned, Named>, { readonly pool: string }>;

/** About the one pool that may be meant. */
function explainOfPool(refusal: OfPool): string {
  const pool = `IPAddressPool "${refusal.pool}"`;
  switch (refusal.kind) {
    case "poolMayNotServe":
      return `${nameOf(refusal)} asks for ${pool}, ${explainServe(refusal.problem)}; ask for another pool, or change the pool's spec.serviceAllocation`;
    case "poolInert": {
      const verb = refusal.kept.length === 0 ? "asks for" : `goes on with ${printAddressList(refusal.kept)} of`;
      return `${nameOf(refusal)} ${verb} ${pool}, ${INERT}; repair the pool (its condition ${keys.ready} says what is wrong), or ask for another pool`;
    }
  }
}

function explainOpen(refusal: Exclude<Unpinned, Named | OfPool>): string {
  const thing = nameOf(refusal);
  switch (refusal.kind) {
    case "addressOfNoPool":
      return `${thing} goes on with ${printAddressList(refusal.addresses)}, which it had before Berth and no IPAddressPool has; add that to a pool, or name a pool in the annotation ${keys.poolNew} to be moved`;
    case "addressDoubled":
      return `${thing} has ${printAddress(refusal.address)} in its status, which ${printHolder(refusal.holder)} holds too; ask for another address in ${keys.pinNew}${refusal.holder.kind === "other" ? "" : `, or give both the same ${keys.shareNew}`}`;
    case "noPools":
      return `${thing} gets an address as soon as there is a pool for it; ${refusal.anyPool ? "no IPAddressPool can be used as it is, so repair one" : "no IPAddressPool exists yet, so create one"}`;
    case "noEligiblePool":
      return `${thing} gets an address as soon as a pool serves it, but none does (${namePools(refusal.pools)}); create a pool that does, or name one in the annotation metallb.io/address-pool`;
    case "noPoolForFamily":
      return `${thing} needs ${joinFamilies(refusal.families)}, but no pool for it has ${refusal.families.length > 1 ? "both families" : "such addresses"} (${namePools(refusal.pools)}); add a range to a pool`;
    case "poolsFull":
      return `${thing} gets an address as soon as one is free: ${shorten(refusal.pools.map(printUse), "pools")}; delete a Service that needs none, or add a range to a pool`;
  }
}

const printUse = ({ pool, used, size }: PoolUse): string =>
  used < size
    ? `IPAddressPool "${pool}" has ${String(used)} of ${String(size)} addresses in use, but none free in each family`
    : `IPAddressPool "${pool}" is full (${String(used)} of ${String(size)} addresses in use)`;
