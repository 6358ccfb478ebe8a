/** Ranges that no Service can be reached by, whatever the network. */
import type { Range } from "../address/range.ts";
import { parseRange, rangesOverlap } from "../address/range.ts";

/** Why addresses of the range cannot be a Service's. */
export type SpecialKind = "unspecified" | "loopback" | "linkLocal" | "multicast" | "broadcast" | "ipv4Mapped";

const SPECIAL: readonly (readonly [SpecialKind, string])[] = [
  ["unspecified", "0.0.0.0/8"],
  ["loopback", "127.0.0.0/8"],
  ["linkLocal", "169.254.0.0/16"],
  ["multicast", "224.0.0.0/4"],
  ["broadcast", "255.255.255.255/32"],
  ["unspecified", "::/128"],
  ["loopback", "::1/128"],
  ["linkLocal", "fe80::/10"],
  ["multicast", "ff00::/8"],
];

type Entry = { readonly special: SpecialKind; readonly range: Range };

/** ::ffff:0:0/96 seen from around it: its own text reads as IPv4. */
const MAPPED: Entry = {
  special: "ipv4Mapped",
  range: { first: { family: "IPv6", value: 0xffff_0000_0000n }, last: { family: "IPv6", value: 0xffff_ffff_ffffn } },
};

const RANGES: readonly Entry[] = SPECIAL.flatMap(([special, text]): readonly Entry[] => {
  const range = parseRange(text);
  return range.ok ? [{ special, range: range.value }] : [];
}).concat(MAPPED);

/** The first special range that has an address in common with this one (RFC 6890), if any does. */
export const specialKind = (range: Range): SpecialKind | undefined =>
  RANGES.find((entry) => rangesOverlap(entry.range, range))?.special;
