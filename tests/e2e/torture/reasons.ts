/** Whether what a Service's condition says is so, reckoned from the listed objects alone. No pool may overlap another. */
import type { IPAddressPool } from "../../../cluster/crd.ts";
import { metadataOf, type Service } from "../../../cluster/kinds.ts";
import { familiesOf, familyOf, holds, isIn, numberOf, numbersIn, type Family } from "./addresses.ts";
import { annotated, isServed, nameOf, pinsOf, poolNameOf, serves, shown, type Listing } from "./listing.ts";
import { mayShare } from "./sharing.ts";

/** Whether the Service has what it asks for. */
export function isMet(service: Service, { pools }: Listing): boolean {
  const addresses = annotated(service);
  const isInOne = pools.some((pool) => addresses.every((address) => holds(pool, numberOf(address) ?? -1n)));
  const isInNamed = pools
    .filter((pool) => isNamed(pool, poolNameOf(service)))
    .some((pool) => addresses.every((address) => isIn(pool, numberOf(address) ?? -1n)));
  const families = new Set(addresses.map((address) => familyOf(numberOf(address) ?? -1n)));
  const hasFamilies =
    families.size === addresses.length && (!needsAll(service) || families.size === wanted(service).length);
  const hasPins = pinsOf(service).every((pin) => addresses.map(numberOf).includes(numberOf(pin)));
  return isInOne && hasPins && hasFamilies && (poolNameOf(service) === "" || isInNamed);
}

const isNamed = (pool: IPAddressPool, text: string): boolean => {
  const { namespace, name } = metadataOf(pool);
  return text === name || text === `${namespace}/${name}`;
};

/** The families of the Service; as stored, the API server has filled them in. */
const wanted = ({ spec }: Service): readonly Family[] =>
  (spec?.ipFamilies ?? ["IPv4"]).map((family) => (family === "IPv6" ? "IPv6" : "IPv4"));

const needsAll = ({ spec }: Service): boolean => spec?.ipFamilyPolicy !== "PreferDualStack";

type Rule = (service: Service, listing: Listing) => boolean;

/** Each reason, and when it is true. */
const RULES: Readonly<Record<string, Rule>> = {
  NoPools: (_, { pools }) => pools.length === 0,
  UnknownPool: (service, listing) => poolNameOf(service) !== "" && namedBy(service, listing).length === 0,
  AmbiguousPool: (service, listing) => namedBy(service, listing).length > 1,
  PoolMayNotServe: (service, listing) => namedBy(service, listing).some((pool) => !serves(pool, service, listing)),
  NoEligiblePool: (service, listing) => eligible(service, listing).length === 0,
  NoPoolForFamily: (service, listing) => !eligible(service, listing).some((pool) => suits(pool, service)),
  PoolsFull: (service, listing) => {
    const pools = eligible(service, listing).filter((pool) => suits(pool, service));
    return pools.length > 0 && !pools.some((pool) => hasRoom(pool, service, listing));
  },
  OutsidePools: somePin((pin, _, { pools }) => !pools.some((pool) => isIn(pool, pin))),
  BuggyPin: somePin((pin, _, { pools }) => pools.some((pool) => isIn(pool, pin) && !holds(pool, pin))),
  PinHeld: somePin((pin, service, listing) => !isFree(pin, service, listing)),
  PinMayNotServe: somePin((pin, service, listing) =>
    listing.pools.some((pool) => isIn(pool, pin) && !serves(pool, service, listing)),
  ),
  PinOutsideNamedPool: somePin((pin, service, listing) => !namedBy(service, listing).some((pool) => isIn(pool, pin))),
  WrongFamilyPin: somePin((pin, service) => !wanted(service).includes(familyOf(pin))),
  PinPoolLacksFamily: somePin((pin, service, { pools }) =>
    pools.some((pool) => isIn(pool, pin) && wanted(service).some((family) => !familiesOf(pool).has(family))),
  ),
};

/** Whether the reason is known and true. */
export const isTrueReason = (reason: string, service: Service, listing: Listing): boolean =>
  RULES[reason]?.(service, listing) ?? false;

function somePin(isSo: (pin: bigint, service: Service, listing: Listing) => boolean): Rule {
  return (service, listing) => pinsOf(service).some((pin) => isSo(numberOf(pin) ?? -1n, service, listing));
}

const namedBy = (service: Service, { pools }: Listing): readonly IPAddressPool[] =>
  pools.filter((pool) => isNamed(pool, poolNameOf(service)));

function eligible(service: Service, listing: Listing): readonly IPAddressPool[] {
  const asked =
    poolNameOf(service) === ""
      ? listing.pools.filter(({ spec }) => spec?.autoAssign !== false)
      : namedBy(service, listing);
  return asked.filter((pool) => serves(pool, service, listing));
}

function suits(pool: IPAddressPool, service: Service): boolean {
  const has = (family: Family): boolean => familiesOf(pool).has(family);
  return needsAll(service) ? wanted(service).every(has) : wanted(service).some(has);
}

function hasRoom(pool: IPAddressPool, service: Service, listing: Listing): boolean {
  const isTaken = takenFor(service, listing);
  const has = (family: Family): boolean => hasAny(numbersIn(pool, family), (number) => !isTaken(number));
  return needsAll(service) ? wanted(service).every(has) : wanted(service).some(has);
}

function hasAny(numbers: Iterable<bigint>, isIt: (number: bigint) => boolean): boolean {
  for (const number of numbers) if (isIt(number)) return true;
  return false;
}

const isFree = (number: bigint, service: Service, listing: Listing): boolean => !takenFor(service, listing)(number);

/** Who stands on which address, so that the Service can't have it. */
function takenFor(service: Service, listing: Listing): (number: bigint) => boolean {
  const numbers = (texts: readonly (string | undefined)[]): (bigint | undefined)[] =>
    texts.map((text) => numberOf(text ?? ""));
  const others = listing.services.filter((one) => isServed(one) && nameOf(one) !== nameOf(service));
  const owned = others.flatMap((other) =>
    [...annotated(other), ...shown(other)].map((address) => ({ other, address, number: numberOf(address) })),
  );
  const owners = Map.groupBy(owned, ({ number }) => number);
  const claimed = new Set(numbers(listing.claims.map(({ metadata }) => metadata?.name)));
  const nodes = new Set(
    numbers(listing.nodes.flatMap(({ status }) => (status?.addresses ?? []).map(({ address }) => address))),
  );
  const own = new Set(numbers(annotated(service)));
  return (number) => {
    if (nodes.has(number)) return true;
    const holders = owners.get(number) ?? [];
    if (holders.length > 0) return !holders.every(({ other, address }) => mayShare(service, other, address, listing));
    return claimed.has(number) && !own.has(number);
  };
}
