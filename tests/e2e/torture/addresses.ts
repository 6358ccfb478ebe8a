/** Addresses and pools as plain numbers, reckoned without the product's own code: who checks must not share its faults. */
import type { IPAddressPool } from "../../../cluster/crd.ts";

/** IPv6 stands above all of IPv4, so that one number says the family too. */
const IPV6 = 1n << 128n;

export type Family = "IPv4" | "IPv6";

/** The number of an address; undefined where the text is none. */
export function numberOf(text: string): bigint | undefined {
  if (/^\d+(\.\d+){3}$/.test(text)) return text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  if (!/^[0-9a-f:]+$/i.test(text) || !text.includes(":")) return undefined;
  const [head = "", tail] = text.split("::");
  const groups = (part: string): string[] => part.split(":").filter((group) => group !== "");
  const [before, after] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n) + IPV6;
}

export const familyOf = (number: bigint): Family => (number >= IPV6 ? "IPv6" : "IPv4");

type Range = { readonly first: bigint; readonly last: bigint };

function rangeOf(entry: string): Range {
  const [from = "", to] = entry.split("-").map((part) => part.trim());
  if (to !== undefined) return { first: numberOf(from) ?? 0n, last: numberOf(to) ?? -1n };
  const [base = "", length = ""] = from.split("/");
  const number = numberOf(base) ?? 0n;
  const size = 1n << BigInt((familyOf(number) === "IPv6" ? 128 : 32) - Number(length));
  const first = number - (number % size);
  return { first, last: first + size - 1n };
}

const isKeptBack = ({ spec }: IPAddressPool, number: bigint): boolean =>
  spec?.avoidBuggyIPs === true && familyOf(number) === "IPv4" && [0n, 255n].includes(number % 256n);

/** Whether the pool hands out the address. */
export const holds = (pool: IPAddressPool, number: bigint): boolean => isIn(pool, number) && !isKeptBack(pool, number);

/** Whether the address is in one of the pool's ranges. */
export const isIn = ({ spec }: IPAddressPool, number: bigint): boolean =>
  (spec?.addresses ?? []).map(rangeOf).some(({ first, last }) => first <= number && number <= last);

/** The families of which the pool has addresses. */
export const familiesOf = ({ spec }: IPAddressPool): ReadonlySet<Family> =>
  new Set((spec?.addresses ?? []).map((entry) => familyOf(rangeOf(entry).first)));

/** Every address of a family that the pool hands out, one by one. */
export function* numbersIn(pool: IPAddressPool, family: Family): Generator<bigint> {
  for (const { first, last } of (pool.spec?.addresses ?? []).map(rangeOf)) {
    if (familyOf(first) !== family) continue;
    for (let number = first; number <= last; number += 1n) if (!isKeptBack(pool, number)) yield number;
  }
}
