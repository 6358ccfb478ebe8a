import fc from "fast-check";
import { expect, test } from "vitest";
import type { Address } from "../../core/address/address.ts";
import { printAddress } from "../../core/address/address.ts";
import type { Holder, ServiceName } from "../../core/allocation/holder.ts";
import { serviceHolder } from "../../core/allocation/holder.ts";
import { Ledger, type Source } from "../../cluster/ledger.ts";
import { addressFrom } from "../core/builders.ts";

const sources = ["node", "claim", "reservation", "status"] as const;
const addresses = ["10.0.0.1", "10.0.0.2", "fd00::1"].map(addressFrom);
const names: readonly ServiceName[] = ["a", "b", "c"].map((name) => ({ namespace: "default", name }));
const holders: readonly Holder[] = [...names.map(serviceHolder), { kind: "other", what: 'Node "node-1"' }];

type Step =
  | {
      readonly does: "note";
      readonly source: Source;
      readonly by: string;
      readonly address: Address;
      readonly holder: Holder;
    }
  | { readonly does: "strike"; readonly source: Source; readonly by: string; readonly address: Address };

const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom("note", "strike"),
  source: fc.constantFrom(...sources),
  by: fc.constantFrom("x", "y"),
  address: fc.constantFrom(...addresses),
  holder: fc.constantFrom(...holders),
});

/** All notes that stand, oldest first; the plainest way to say who holds what. */
class Notes {
  #notes: (Step & { readonly does: "note" })[] = [];

  take(one: Step): void {
    this.#notes = this.#notes.filter(
      ({ source, by, address }) => source !== one.source || by !== one.by || address !== one.address,
    );
    if (one.does === "note") this.#notes.push(one);
  }

  holderOf(address: Address): Holder | undefined {
    const notes = sources.map((source) => this.#notes.find((one) => one.source === source && one.address === address));
    return notes.find((note) => note !== undefined)?.holder;
  }
}

test("each address belongs to the oldest note of the weightiest source", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const [ledger, notes] = [new Ledger(), new Notes()];
      for (const one of steps) {
        if (one.does === "note") ledger.note(one.source, one.by, one);
        else ledger.strike(one.source, one.by, one.address);
        notes.take(one);
        for (const address of addresses) {
          expect(ledger.occupancy.holderOf(address)).toEqual(notes.holderOf(address));
        }
      }
      for (const name of names) {
        const held = addresses.filter((address) => {
          const holder = notes.holderOf(address);
          return holder?.kind === "service" && holder.name === name.name;
        });
        expect(ledger.occupancy.addressesOf(name).map(printAddress)).toEqual(held.map(printAddress));
      }
    }),
  );
});

test("what was reserved is free again when given back", () => {
  const [address] = addresses;
  const [name] = names;
  if (address === undefined || name === undefined) return;
  const ledger = new Ledger();
  ledger.reserve(address, name, serviceHolder(name));
  expect(ledger.occupancy.holderOf(address)).toEqual(serviceHolder(name));
  ledger.unreserve(address, name);
  expect(ledger.occupancy.holderOf(address)).toBeUndefined();
});
