/** Sentences about what a Service asks for. */
import type { Family } from "../address/address.ts";
import { printAddress } from "../address/address.ts";
import { printAddressList } from "../address/list.ts";
import type { RequestRefusal } from "../allocation/refusal.ts";
import { keys } from "../keys.ts";
import { explainAddress } from "./range.ts";

/** One sentence about a request that is wrong by itself. */
export function explainRequest(refusal: RequestRefusal): string {
  const thing = `Service "${refusal.service.namespace}/${refusal.service.name}"`;
  switch (refusal.kind) {
    case "malformedPin":
      return `${thing} asks in ${refusal.source} for ${JSON.stringify(refusal.item)}, which ${explainAddress(refusal.problem)}`;
    case "holeInPins":
      return `${thing} asks in ${refusal.source} for ${JSON.stringify(refusal.text)}, where an address is missing; separate addresses by single commas`;
    case "duplicatePin":
      return `${thing} asks in ${refusal.source} for ${printAddress(refusal.address)} twice; name it once`;
    case "twoPinsOfOneFamily":
      return `${thing} asks in ${refusal.source} for ${printAddressList(refusal.addresses)}, all ${refusal.family}; ask for at most one address of each family`;
    case "pinnedTwice":
      return `${thing} asks in ${refusal.source} for ${printAddressList(refusal.annotated)} and in ${keys.pinSpec} for ${printAddress(refusal.specified)}; remove one of the two`;
    case "wrongFamilyPin":
      return `${thing} asks in ${refusal.source} for ${printAddress(refusal.address)}, but has only ${joinFamilies(refusal.families)}; ask for an ${joinFamilies(refusal.families)} address, or change spec.ipFamilies`;
    case "headless":
      return `${thing} has the clusterIP None, which no LoadBalancer can have; remove spec.clusterIP`;
  }
}

/** "IPv4", or "IPv4 and IPv6". */
export const joinFamilies = (families: readonly Family[]): string => families.join(" and ");
