/** A run of addresses of one family, as pools are written: CIDR or `first-last`. */
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Address, AddressProblem } from "./address.ts";
import { addressBits, parseAddress, printAddress } from "./address.ts";

/** All addresses from `first` to `last`, both included; never empty, of one family. Only parseRange makes one from text. */
export type Range = { readonly first: Address; readonly last: Address };

/** Why a text is no range. */
export type RangeProblem =
  | { readonly kind: "notARange"; readonly text: string }
  | { readonly kind: "bareAddress"; readonly text: string; readonly address: Address }
  | { readonly kind: "blanksAroundCidr"; readonly text: string }
  | { readonly kind: "badPrefix"; readonly text: string; readonly prefix: string; readonly longest: number }
  | { readonly kind: "badEnd"; readonly text: string; readonly problem: AddressProblem }
  | { readonly kind: "mixedFamilies"; readonly text: string; readonly first: Address; readonly last: Address }
  | { readonly kind: "backwardsRange"; readonly text: string; readonly first: Address; readonly last: Address };

/**
 * The range that `text` names. Host bits of a CIDR are masked off; blanks around the ends of `first-last` are
 * trimmed, around a CIDR they are refused, both as in MetalLB.
 */
export function parseRange(text: string): Result<Range, RangeProblem> {
  if (text.includes("/")) return parseCidr(text);
  const dash = text.indexOf("-");
  if (dash >= 0) return parseEnds(text, text.slice(0, dash), text.slice(dash + 1));
  const bare = parseAddress(text.trim());
  return err(bare.ok ? { kind: "bareAddress", text, address: bare.value } : { kind: "notARange", text });
}

function parseEnds(text: string, firstText: string, lastText: string): Result<Range, RangeProblem> {
  const first = parseAddress(firstText.trim());
  if (!first.ok) return err({ kind: "badEnd", text, problem: first.error });
  const last = parseAddress(lastText.trim());
  if (!last.ok) return err({ kind: "badEnd", text, problem: last.error });
  const range = { first: first.value, last: last.value };
  if (range.first.family !== range.last.family) return err({ kind: "mixedFamilies", text, ...range });
  if (range.first.value > range.last.value) return err({ kind: "backwardsRange", text, ...range });
  return ok(range);
}

function parseCidr(text: string): Result<Range, RangeProblem> {
  if (text.trim() !== text) return err({ kind: "blanksAroundCidr", text });
  const slash = text.indexOf("/");
  const addressText = text.slice(0, slash);
  const address = parseAddress(addressText);
  if (!address.ok) return err({ kind: "badEnd", text, problem: address.error });
  const prefix = text.slice(slash + 1);
  const bits = addressBits(address.value.family);
  // ::ffff:1.2.3.0/120 is 1.2.3.0/24
  const mappedBits = addressText.includes(":") && address.value.family === "IPv4" ? 96 : 0;
  const length = /^(?:0|[1-9]\d{0,2})$/.test(prefix) ? Number(prefix) - mappedBits : -1;
  if (length < 0 || length > bits) return err({ kind: "badPrefix", text, prefix, longest: bits + mappedBits });
  return ok(blockOf(address.value, length));
}

function blockOf(address: Address, length: number): Range {
  const hostBits = BigInt(addressBits(address.family) - length);
  const first = (address.value >> hostBits) << hostBits;
  const last = first + (1n << hostBits) - 1n;
  return { first: { family: address.family, value: first }, last: { family: address.family, value: last } };
}

/** The shortest text for the range: CIDR where it is one block, else `first-last`. parseRange reads it back. */
export function printRange(range: Range): string {
  const hostBits = blockHostBits(range);
  if (hostBits === undefined) return `${printAddress(range.first)}-${printAddress(range.last)}`;
  return `${printAddress(range.first)}/${String(addressBits(range.first.family) - hostBits)}`;
}

function blockHostBits(range: Range): number | undefined {
  const count = countRange(range);
  if ((count & (count - 1n)) !== 0n || range.first.value % count !== 0n) return undefined;
  return count.toString(2).length - 1;
}

/** How many addresses the range holds, at least 1. */
export const countRange = (range: Range): bigint => range.last.value - range.first.value + 1n;

/** Whether the address lies in the range. */
export const rangeContains = (range: Range, address: Address): boolean =>
  range.first.family === address.family && range.first.value <= address.value && address.value <= range.last.value;

/** Whether the address lies in any of the ranges. */
export const rangesContain = (ranges: readonly Range[], address: Address): boolean =>
  ranges.some((range) => rangeContains(range, address));

/** Whether the two ranges have an address in common. */
export const rangesOverlap = (a: Range, b: Range): boolean =>
  a.first.family === b.first.family && a.first.value <= b.last.value && b.first.value <= a.last.value;
