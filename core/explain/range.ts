/** Sentences' middles about addresses and ranges. */
import type { AddressProblem } from "../address/address.ts";
import { printAddress } from "../address/address.ts";
import type { RangeProblem } from "../address/range.ts";
import type { SpecialKind } from "../pool/special.ts";

/** What is wrong with the text, and what to do, to follow the name of the thing it stands in. */
export function explainAddress(problem: AddressProblem): string {
  switch (problem.kind) {
    case "emptyAddress":
      return `is empty; write an address such as 192.168.1.205`;
    case "notAnAddress":
      return `is no IP address; write one such as 192.168.1.205 or fd00::205`;
    case "leadingZero":
      return `has a leading zero, which some programs read as octal; write its numbers without leading zeros`;
    case "zone":
      return `has a zone; write the address without "%" and what follows`;
  }
}

/** What is wrong with the entry of a pool, and what to do; starts with the entry quoted. */
export function explainRange(problem: RangeProblem): string {
  const entry = JSON.stringify(problem.text);
  switch (problem.kind) {
    case "notARange":
      return `${entry}, which is no range; write a CIDR such as 192.168.1.0/24 or a range such as 192.168.1.200-192.168.1.220`;
    case "bareAddress":
      return `${entry}, a bare address; write ${printAddress(problem.address)}/${problem.address.family === "IPv4" ? "32" : "128"} for this one address`;
    case "blanksAroundCidr":
      return `${entry} with blanks around it; write ${JSON.stringify(problem.text.trim())}`;
    case "badPrefix":
      return `${entry} with the prefix length ${JSON.stringify(problem.prefix)}; write one from 0 to ${String(problem.longest)}`;
    case "badEnd":
      return `${entry}, where ${JSON.stringify(problem.problem.text)} ${explainAddress(problem.problem)}`;
    case "mixedFamilies":
      return `${entry}, which begins with ${problem.first.family} and ends with ${problem.last.family}; write both ends in one family`;
    case "backwardsRange":
      return `${entry}, which runs backwards; write ${printAddress(problem.last)}-${printAddress(problem.first)}`;
  }
}

const SPECIAL_WORDS: Readonly<Record<SpecialKind, string>> = {
  unspecified: "unspecified addresses",
  loopback: "loopback addresses, which no other machine reaches",
  linkLocal: "link-local addresses, which no router forwards",
  multicast: "multicast addresses",
  broadcast: "the broadcast address",
  ipv4Mapped: "IPv4-mapped addresses",
};

/** The kind of special addresses in words. */
export const specialWords = (special: SpecialKind): string => SPECIAL_WORDS[special];
