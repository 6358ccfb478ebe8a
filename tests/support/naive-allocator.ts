/** Which addresses a Service is to have, by the rules alone: slow, plain, on texts, and nothing of core in it. */

export type NaivePool = {
  readonly namespace: string;
  readonly name: string;
  /** Every address, in the order in which it is given. */
  readonly addresses: readonly string[];
  readonly autoAssign: boolean;
  readonly priority: number | undefined;
  /** Namespaces that it serves, and the value of their label "team"; nobody else's where one is given. */
  readonly namespaces: readonly string[];
  readonly team: string | undefined;
  readonly isAcross: boolean;
};

export type NaiveService = {
  readonly namespace: string;
  readonly name: string;
  readonly families: readonly (4 | 6)[];
  readonly needsAll: boolean;
  readonly pins: readonly string[];
  readonly pool: string;
  readonly share: string;
  readonly ports: readonly number[];
  readonly local: string | undefined;
  readonly has: readonly string[];
};

export type NaiveState = {
  readonly pools: readonly NaivePool[];
  readonly services: readonly NaiveService[];
  readonly teams: Readonly<Record<string, string>>;
};

/** The addresses, or whether the Service waits for them or may not be as it is. */
export type Verdict = readonly string[] | "waits" | "denied";

const familyOf = (address: string): 4 | 6 => (address.includes(":") ? 6 : 4);
const isSame = (a: NaiveService, b: NaiveService): boolean => a.namespace === b.namespace && a.name === b.name;

/** Whether the two may hold one address, namespaces aside. */
export function agree(a: NaiveService, b: NaiveService): boolean {
  return (
    a.share !== "" && a.share === b.share && a.local === b.local && !a.ports.some((port) => b.ports.includes(port))
  );
}

/** Whether the pool may give the Service anything. */
export function serves(pool: NaivePool, service: NaiveService, { teams }: NaiveState): boolean {
  if (pool.namespaces.length === 0 && pool.team === undefined) return true;
  return (
    pool.namespaces.includes(service.namespace) || (pool.team !== undefined && teams[service.namespace] === pool.team)
  );
}

/** Whether all who hold an address of the pool would share it with the Service. */
export function isOpen(address: string, pool: NaivePool, service: NaiveService, { services }: NaiveState): boolean {
  const others = services.filter((one) => !isSame(one, service) && one.has.includes(address));
  return others.every((one) => {
    const isNear = one.namespace === service.namespace || service.has.includes(address);
    return agree(one, service) && (isNear || (pool.isAcross && service.local === undefined));
  });
}

const isNamed = (pool: NaivePool, text: string): boolean =>
  text === pool.name || text === `${pool.namespace}/${pool.name}`;

/** What the pool has for the families: pinned, held, shared under the key, or lowest free. */
function from(
  pool: NaivePool,
  service: NaiveService,
  families: readonly (4 | 6)[],
  state: NaiveState,
): readonly string[] {
  return families.flatMap((family) => {
    const mine = pool.addresses.filter((address) => familyOf(address) === family);
    const open = mine.filter((address) => isOpen(address, pool, service, state));
    const taken = (address: string): boolean =>
      state.services.some((one) => !isSame(one, service) && one.has.includes(address));
    const inOrder = open.toSorted((a, b) => Number(a.split(/[.:]/).at(-1)) - Number(b.split(/[.:]/).at(-1)));
    const found =
      service.pins.find((address) => familyOf(address) === family) ??
      service.has.find((address) => open.includes(address)) ??
      inOrder.find(taken) ??
      open.find((address) => !taken(address));
    return found === undefined ? [] : [found];
  });
}

/** How many families have a shared address of the Service's key in the pool. */
const sharedIn = (pool: NaivePool, service: NaiveService, state: NaiveState): number =>
  service.families.filter((family) =>
    pool.addresses.some(
      (address) =>
        familyOf(address) === family &&
        isOpen(address, pool, service, state) &&
        state.services.some((one) => one.share !== "" && one.share === service.share && one.has.includes(address)),
    ),
  ).length;

function ordered(addresses: readonly string[], { has, pins }: NaiveService): readonly string[] {
  const first = [...has, ...pins].filter(
    (address, index, all) => all.indexOf(address) === index && addresses.includes(address),
  );
  const rest = addresses.filter((address) => !first.includes(address));
  return [...first, ...rest.toSorted((a, b) => familyOf(a) - familyOf(b))];
}

const isEnough = (addresses: readonly string[], { families, needsAll }: NaiveService): boolean =>
  addresses.length === families.length || (!needsAll && addresses.length > 0);

const isOdd = ({ families, pins }: NaiveService): boolean =>
  pins.some((pin) => !families.includes(familyOf(pin))) || new Set(pins.map(familyOf)).size < pins.length;

/** What the rules give the Service in the state. */
export function judge(service: NaiveService, state: NaiveState): Verdict {
  if (isOdd(service)) return "denied";
  if (state.pools.length === 0) return "waits";
  const named = state.pools.filter((pool) => service.pool === "" || isNamed(pool, service.pool));
  if (service.pool !== "") {
    if (named.length !== 1) return named.length === 0 ? "waits" : "denied";
    if (!named.every((pool) => serves(pool, service, state))) return "denied";
  }
  if (service.pins.length > 0) return judgePinned(service, named, state);
  return judgeHeld(service, named, state) ?? judgeNew(service, named, state);
}

function judgePinned(service: NaiveService, named: readonly NaivePool[], state: NaiveState): Verdict {
  const pool = named.find((one) => service.pins.every((pin) => one.addresses.includes(pin)));
  if (pool === undefined || !serves(pool, service, state)) return "denied";
  if (!service.pins.every((pin) => isOpen(pin, pool, service, state))) return "denied";
  const addresses = from(pool, service, service.families, state);
  if (isEnough(addresses, service)) return ordered(addresses, service);
  return service.families.every((family) => pool.addresses.some((one) => familyOf(one) === family))
    ? "waits"
    : "denied";
}

function judgeHeld(service: NaiveService, named: readonly NaivePool[], state: NaiveState): Verdict | undefined {
  const mine = service.has.filter((address) =>
    named.some(
      (pool) =>
        pool.addresses.includes(address) && serves(pool, service, state) && isOpen(address, pool, service, state),
    ),
  );
  const kept = service.families.flatMap((family) => mine.filter((one) => familyOf(one) === family).slice(0, 1));
  if (kept.length === service.families.length) return ordered(kept, service);
  for (const family of service.families) {
    const held = service.has.find((address) => familyOf(address) === family);
    const pool = named.find((one) => held !== undefined && one.addresses.includes(held) && serves(one, service, state));
    if (pool === undefined || held === undefined || !isOpen(held, pool, service, state)) continue;
    const addresses = from(pool, service, service.families, state);
    if (isEnough(addresses, service)) return ordered(addresses, service);
  }
  return undefined;
}

function judgeNew(service: NaiveService, named: readonly NaivePool[], state: NaiveState): Verdict {
  const text = (pool: NaivePool): string => `${pool.namespace}/${pool.name}`;
  const rank = ({ priority }: NaivePool): number => (priority === undefined ? 1e9 : priority > 0 ? priority : 1e8);
  const pools = named
    .filter((pool) => (service.pool !== "" || pool.autoAssign) && serves(pool, service, state))
    .toSorted((a, b) => rank(a) - rank(b) || (text(a) < text(b) ? -1 : 1))
    .toSorted((a, b) => sharedIn(b, service, state) - sharedIn(a, service, state));
  const tries = [service.families, ...(service.needsAll ? [] : service.families.map((family) => [family]))];
  for (const families of tries) {
    for (const pool of pools) {
      const addresses = from(pool, service, families, state);
      if (addresses.length === families.length) return ordered(addresses, service);
    }
  }
  return "waits";
}
