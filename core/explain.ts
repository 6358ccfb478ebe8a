/** Any refusal as one sentence for people; Deny, Event and condition share it. The texts stand in explain/. */
import { printAddress, type Address } from "./address/address.ts";
import type { ServiceName } from "./allocation/holder.ts";
import type { Loss } from "./allocation/keep.ts";
import { keys } from "./keys.ts";
import type { AllocationRefusal, RequestRefusal, StrandedAddresses } from "./allocation/refusal.ts";
import type { AdvertisementRefusal } from "./announce/advertisement.ts";
import type { AdvertisementGap } from "./announce/gaps.ts";
import { explainAllocation, explainParting } from "./explain/allocation.ts";
import { explainBgp, type BgpUnspoken } from "./explain/bgp.ts";
import { explainAdvertisement, explainPool, type PoolFault } from "./explain/pool.ts";
import { explainRequest } from "./explain/request.ts";
import type { NamespaceGap } from "./pool/namespaces.ts";

/** Everything that can be refused, or noted on an object that is admitted. */
export type Refusal =
  | PoolFault
  | NamespaceGap
  | AdvertisementRefusal
  | AdvertisementGap
  | RequestRefusal
  | AllocationRefusal
  | StrandedAddresses
  | BgpUnspoken;

/** One sentence: the thing and its name, what was seen, and after a semicolon what to do; without a final full stop. */
export function explain(refusal: Refusal): string {
  if ("service" in refusal) return isRequestRefusal(refusal) ? explainRequest(refusal) : explainAllocation(refusal);
  if ("advertisement" in refusal) return explainAdvertisement(refusal);
  if (refusal.kind === "bgpUnspoken") return explainBgp(refusal);
  return explainPool(refusal);
}

const REQUEST_KINDS: Readonly<Record<RequestRefusal["kind"], true>> = {
  malformedPin: true,
  holeInPins: true,
  duplicatePin: true,
  twoPinsOfOneFamily: true,
  pinnedTwice: true,
  wrongFamilyPin: true,
  headless: true,
};

/** Whether the request is wrong by itself, whatever the pools. */
export const isRequestRefusal = (refusal: RequestRefusal | AllocationRefusal): refusal is RequestRefusal =>
  Object.hasOwn(REQUEST_KINDS, refusal.kind);

/** What admission has to say beside refusals. */
export type AdmissionNote =
  | { readonly kind: "foreignAddress"; readonly service: ServiceName; readonly address: Address }
  | ({ readonly kind: "loses"; readonly service: ServiceName } & Loss)
  | { readonly kind: "defaultPort"; readonly service: ServiceName }
  | { readonly kind: "notYet"; readonly service: ServiceName }
  | {
      readonly kind: "moved";
      readonly service: ServiceName;
      readonly from: readonly Address[];
      readonly to: readonly Address[];
    }
  | { readonly kind: "oldPrefix"; readonly service: ServiceName; readonly names: readonly string[] }
  | {
      readonly kind: "sharesAcrossNamespaces";
      readonly service: ServiceName;
      readonly address: Address;
      readonly pool: string;
    };

/** One sentence: what admission noticed on a Service. */
export function explainNote(note: AdmissionNote): string {
  const thing = `Service "${note.service.namespace}/${note.service.name}"`;
  switch (note.kind) {
    case "foreignAddress":
      return `${thing} has ${printAddress(note.address)} in its annotation ${keys.addresses}, which is not claimed for it; leave that annotation to Berth`;
    case "loses":
      return `${thing} would lose ${note.addresses.map(printAddress).join(" and ")} by this change, ${explainParting(note.parting)}; leave that as it is until it can be given another address (condition ${keys.addressAssigned})`;
    case "defaultPort":
      return `${thing} lists no ports, so that Berth added 80/TCP named "${keys.defaultPort}"; list the ports that it is to serve`;
    case "notYet":
      return `${thing} has no address yet; it gets one within seconds, see kubectl describe`;
    case "moved":
      return `${thing} moves from ${note.from.map(printAddress).join(" and ")} to ${note.to.map(printAddress).join(" and ")}; clients that know the old address have to learn the new one`;
    case "oldPrefix":
      return `${thing} has the annotation ${note.names.join(" and ")} under MetalLB's old prefix, which it deprecates; write metallb.io/ instead`;
    case "sharesAcrossNamespaces":
      return `${thing} shares ${printAddress(note.address)} with a Service of another namespace from before Berth; set the annotation ${keys.poolCrossNamespaceSharing}: "true" on IPAddressPool "${note.pool}" to allow that, or give it another address`;
  }
}
