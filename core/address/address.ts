/** One IP address: reading, printing, ordering. The only folder that may import ipaddr.js. */
import ipaddr from "ipaddr.js";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";

/** The families by Kubernetes' names. */
export type Family = "IPv4" | "IPv6";

/** An address that was read by parseAddress or counted from one; `value` is its number, big-endian. */
export type Address = { readonly family: Family; readonly value: bigint };

/** Why a text is no address. */
export type AddressProblem =
  | { readonly kind: "emptyAddress"; readonly text: string }
  | { readonly kind: "notAnAddress"; readonly text: string }
  | { readonly kind: "leadingZero"; readonly text: string }
  | { readonly kind: "zone"; readonly text: string };

const DOTTED_QUAD = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const LEADING_ZERO = /(?:^|[.:])0\d+(?:\.|$)/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const ADDRESS_BITS = { IPv4: 32, IPv6: 128 } as const;
/** ::ffff:0:0/96, RFC 4291 §2.5.5.2. */
const MAPPED_PREFIX = 0xffffn;

/** The width of the family's addresses in bits. */
export const addressBits = (family: Family): number => ADDRESS_BITS[family];

/** The other family. */
export const otherFamily = (family: Family): Family => (family === "IPv4" ? "IPv6" : "IPv4");

/**
 * The address that `text` is: a strict dotted quad, or RFC 4291 §2.2 text without a zone.
 * An IPv4-mapped IPv6 address counts as IPv4, as in MetalLB. Blanks are not trimmed.
 */
export function parseAddress(text: string): Result<Address, AddressProblem> {
  if (text.trim() === "") return err({ kind: "emptyAddress", text });
  if (text.includes("%")) return err({ kind: "zone", text });
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Result<Address, AddressProblem> {
  if (!DOTTED_QUAD.test(text)) return err({ kind: "notAnAddress", text });
  if (LEADING_ZERO.test(text)) return err({ kind: "leadingZero", text });
  if (text.split(".").some((octet) => Number(octet) > 255)) return err({ kind: "notAnAddress", text });
  return ok({ family: "IPv4", value: toNumber(ipaddr.IPv4.parse(text).toByteArray()) });
}

function parseIpv6(text: string): Result<Address, AddressProblem> {
  const tail = text.slice(text.lastIndexOf(":") + 1);
  const quad = tail.includes(".") ? parseIpv4(tail) : undefined;
  if (quad?.ok === false) return err({ kind: quad.error.kind, text });
  const hex = quad === undefined ? text : text.slice(0, text.length - tail.length) + hexGroups(quad.value.value);
  if (!isHexGroups(hex)) return err({ kind: "notAnAddress", text });
  const value = toNumber(ipaddr.IPv6.parse(hex).toByteArray());
  if (value >> 32n === MAPPED_PREFIX) return ok({ family: "IPv4", value: value & 0xffff_ffffn });
  return ok({ family: "IPv6", value });
}

/** The last two groups of an IPv6 address whose end was written as a dotted quad. */
const hexGroups = (quad: bigint): string => `${(quad >> 16n).toString(16)}:${(quad & 0xffffn).toString(16)}`;

/** ipaddr.js takes groups of any length, so the grammar is checked here. */
function isHexGroups(text: string): boolean {
  const halves = text.split("::");
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (!groups.every((group) => GROUP.test(group))) return false;
  return halves.length === 2 ? groups.length <= 7 : halves.length === 1 && groups.length === 8;
}

const toNumber = (bytes: readonly number[]): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

const toBytes = (address: Address): number[] => {
  const count = addressBits(address.family) / 8;
  return Array.from({ length: count }, (_, i) => Number((address.value >> BigInt(8 * (count - 1 - i))) & 0xffn));
};

/** The canonical text (RFC 5952), which is also the name of the address's claim. */
export function printAddress(address: Address): string {
  const bytes = toBytes(address);
  return address.family === "IPv4" ? bytes.join(".") : new ipaddr.IPv6(bytes).toRFC5952String();
}

/** Negative, zero or positive: IPv4 before IPv6, then by number. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.family !== b.family) return a.family === "IPv4" ? -1 : 1;
  if (a.value === b.value) return 0;
  return a.value < b.value ? -1 : 1;
}

/** Whether the two are one address. */
export const sameAddress = (a: Address, b: Address): boolean => a.family === b.family && a.value === b.value;

/** Whether it is an IPv4 address that ends in .0 or .255, which some old devices mishandle (avoidBuggyIPs). */
export function isBuggyAddress(address: Address): boolean {
  const lastByte = address.value & 0xffn;
  return address.family === "IPv4" && (lastByte === 0n || lastByte === 255n);
}
