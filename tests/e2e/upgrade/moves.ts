/**
 * Which node each address was at, by what a client saw on its wire, and which reset connections that accounts for: pure. All times are
 * milliseconds of the wall clock.
 */

/** A node was seen to speak for an address. */
export type Sighting = { readonly millis: number; readonly address: string; readonly node: string };

/** Another node than before was seen to speak for an address. */
export type Move = { readonly millis: number; readonly address: string; readonly from: string; readonly to: string };

/** A connection that came to be and was then reset. */
export type Reset = { readonly address: string; readonly openedMillis: number; readonly resetMillis: number };

/** A reset connection with the move that it fell on. */
export type Traced = Reset & { readonly move: Move };

/**
 * By how much a move may be noted later than the reset that it led to. The client's kernel takes the new node's address before it
 * sends that node anything, but the capture notes the frame when it comes to read it, on a machine that starts a dozen pods
 * meanwhile: 5 ms late, where it was seen. What the prober notes late only makes a connection longer.
 */
export const MARGIN_MILLIS = 25;

/** The moves among sightings, oldest first; where an address was seen first is no move. */
export function movesOf(sightings: readonly Sighting[]): readonly Move[] {
  const nodes = new Map<string, string>();
  return sightings
    .toSorted((left, right) => left.millis - right.millis)
    .flatMap(({ millis, address, node }) => {
      const from = nodes.get(address) ?? node;
      nodes.set(address, node);
      return from === node ? [] : [{ millis, address, from, to: node }];
    });
}

/** The resets that fell on a move of their address, each with the last such move, and a sentence about each of the others. */
export function traceResets(
  resets: readonly Reset[],
  moves: readonly Move[],
): { readonly traced: readonly Traced[]; readonly faults: readonly string[] } {
  const found = resets.map((reset) => ({ reset, move: moves.findLast((move) => isMet(reset, move)) }));
  return {
    traced: found.flatMap(({ reset, move }) => (move === undefined ? [] : [{ ...reset, move }])),
    faults: found.flatMap(({ reset, move }) => (move === undefined ? [describe(reset, moves)] : [])),
  };
}

/** A connection made after a move knows the new node only, so the margin is on one side. */
const isMet = ({ address, openedMillis, resetMillis }: Reset, move: Move): boolean =>
  move.address === address && move.millis >= openedMillis && move.millis <= resetMillis + MARGIN_MILLIS;

function describe({ address, openedMillis, resetMillis }: Reset, moves: readonly Move[]): string {
  const own = moves.filter((move) => move.address === address);
  const known = own.length === 0 ? "it never moved" : `it moved ${own.map(printMove).join(", ")}`;
  const open = `opened at ${clock(openedMillis)} and reset ${String(resetMillis - openedMillis)} ms later`;
  return `a connection to ${address}, ${open}, was open at no move of that address: ${known}`;
}

const printMove = ({ millis, from, to }: Move): string => `from ${from} to ${to} at ${clock(millis)}`;

/** The time of day in UTC. */
const clock = (millis: number): string => new Date(millis).toISOString().slice(11, 23);

/** How often each address moved, and the nodes that it was at in turn. */
export function routesOf(addresses: readonly string[], moves: readonly Move[]): Readonly<Record<string, string>> {
  const routes = addresses.map((address) => {
    const own = moves.filter((move) => move.address === address);
    const nodes = [...own.slice(0, 1).map(({ from }) => from), ...own.map(({ to }) => to)];
    return [address, `${String(own.length)}: ${nodes.join(", ")}`] as const;
  });
  return Object.fromEntries(routes);
}
