/** Who holds which address, as far as this process knows: claims, statuses, nodes and what it is about to claim itself. */
import { parseAddress, printAddress, type Address } from "../core/address/address.ts";
import { sameHolder, type Holder, type ServiceName } from "../core/allocation/holder.ts";
import { uniteHolders } from "../core/allocation/sharing.ts";
import { Occupancy } from "../core/allocation/occupancy.ts";

/** Where a note about an address comes from; an earlier one outweighs a later one. */
const SOURCES = ["node", "claim", "reservation", "status"] as const;
export type Source = (typeof SOURCES)[number];

/** What is said of an address: who holds it, and among those who say so, whose word comes first (by code units). */
export type Said = { readonly address: Address; readonly holder: Holder; readonly rank?: string };

type Note = { readonly by: string; readonly holder: Holder; readonly rank: string };
type Notes = Partial<Record<Source, readonly Note[]>>;

/** An {@link Occupancy} in which each address has the holder of its weightiest note. */
export class Ledger {
  readonly occupancy = new Occupancy();
  readonly #notes = new Map<string, Notes>();

  /** Notes that `by` (an object's key) says that the address is the holder's. */
  note(source: Source, by: string, { address, holder, rank = "" }: Said): void {
    const text = printAddress(address);
    const notes = this.#notes.get(text) ?? {};
    const others = (notes[source] ?? []).filter((note) => note.by !== by);
    const all = [...others, { by, holder, rank }].toSorted((a, b) => (a.rank < b.rank ? -1 : Number(a.rank > b.rank)));
    this.#settle(text, address, { ...notes, [source]: all });
  }

  /** Strikes what `by` said of the address. */
  strike(source: Source, by: string, address: Address): void {
    const text = printAddress(address);
    const notes = this.#notes.get(text);
    if (notes === undefined) return;
    const others = (notes[source] ?? []).filter((note) => note.by !== by);
    this.#settle(text, address, { ...notes, [source]: others });
  }

  /** Has the Service hold the address, as the holder says, for all other requests of this process until {@link unreserve}. */
  reserve(address: Address, service: ServiceName, holder: Holder): void {
    this.note("reservation", `${service.namespace}/${service.name}`, { address, holder });
  }

  /** Gives a reserved address back. */
  unreserve(address: Address, service: ServiceName): void {
    this.strike("reservation", `${service.namespace}/${service.name}`, address);
  }

  #settle(text: string, address: Address, notes: Notes): void {
    const holder = weightiest(notes);
    if (holder === undefined) this.#notes.delete(text);
    else this.#notes.set(text, notes);
    const before = this.occupancy.holderOf(address);
    if (before !== undefined && holder !== undefined && sameHolder(before, holder)) return;
    if (before !== undefined) this.occupancy.release(address);
    if (holder !== undefined) this.occupancy.take(address, holder);
  }
}

/** Those who come in on a shared address hold it together with those who have it. */
function weightiest(notes: Notes): Holder | undefined {
  const source = SOURCES.find((one) => (notes[one] ?? []).length > 0);
  if (source === undefined) return undefined;
  const joining = source === "claim" ? (notes.reservation ?? []) : [];
  return uniteHolders([...(notes[source] ?? []), ...joining].map(({ holder }) => holder));
}

/** The addresses among the texts, for input that the API server has already checked. */
export const addressesIn = (texts: readonly (string | undefined)[]): readonly Address[] =>
  texts.flatMap((text) => {
    const address = parseAddress(text ?? "");
    return address.ok ? [address.value] : [];
  });
