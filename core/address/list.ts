/** Addresses as annotations hold them: a comma-separated list. */
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Address, AddressProblem } from "./address.ts";
import { compareAddresses, parseAddress, printAddress, sameAddress } from "./address.ts";

/** Why a text is no list of addresses. */
export type AddressListProblem =
  | { readonly kind: "hole"; readonly text: string }
  | { readonly kind: "badItem"; readonly text: string; readonly item: string; readonly problem: AddressProblem }
  | { readonly kind: "duplicate"; readonly text: string; readonly address: Address };

/** The addresses of a comma-separated list, in the order written; items are trimmed, the empty text is no address. */
export function parseAddressList(text: string): Result<readonly Address[], AddressListProblem> {
  if (text === "") return ok([]);
  const addresses: Address[] = [];
  for (const item of text.split(",").map((part) => part.trim())) {
    if (item === "") return err({ kind: "hole", text });
    const parsed = parseAddress(item);
    if (!parsed.ok) return err({ kind: "badItem", text, item, problem: parsed.error });
    const address = parsed.value;
    if (addresses.some((earlier) => sameAddress(earlier, address))) return err({ kind: "duplicate", text, address });
    addresses.push(address);
  }
  return ok(addresses);
}

/** Those that are wanted first, in the order wanted, then IPv4 before IPv6 and by number. */
export function inOrderOf(wanted: readonly Address[], addresses: readonly Address[]): readonly Address[] {
  const rank = (address: Address): number => {
    const index = wanted.findIndex((one) => sameAddress(one, address));
    return index < 0 ? wanted.length : index;
  };
  return addresses.toSorted((a, b) => rank(a) - rank(b) || compareAddresses(a, b));
}

/** The text that parseAddressList reads back, without blanks. */
export const printAddressList = (addresses: readonly Address[]): string => addresses.map(printAddress).join(",");
