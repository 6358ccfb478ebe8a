/** Any refusal as one sentence for people; Deny, Event and condition share it. The texts stand in explain/. */
import { printAddress, type Address } from "./address/address.ts";
import type { ServiceName } from "./allocation/holder.ts";
import { keys } from "./keys.ts";
import type { AllocationRefusal, RequestRefusal, StrandedAddresses } from "./allocation/refusal.ts";
import type { AdvertisementRefusal } from "./announce/advertisement.ts";
import { explainAllocation } from "./explain/allocation.ts";
import { explainAdvertisement, explainPool } from "./explain/pool.ts";
import { explainRequest } from "./explain/request.ts";
import type { PoolOverlap, PoolRefusal } from "./pool/refusal.ts";

/** Everything that can be refused. */
export type Refusal =
  | PoolRefusal
  | PoolOverlap
  | AdvertisementRefusal
  | RequestRefusal
  | AllocationRefusal
  | StrandedAddresses;

/** One sentence: the thing and its name, what was seen, and after a semicolon what to do; without a final full stop. */
export function explain(refusal: Refusal): string {
  if ("service" in refusal) return isRequestRefusal(refusal) ? explainRequest(refusal) : explainAllocation(refusal);
  if (refusal.kind === "badWeight") return explainAdvertisement(refusal);
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

const isRequestRefusal = (refusal: RequestRefusal | AllocationRefusal): refusal is RequestRefusal =>
  Object.hasOwn(REQUEST_KINDS, refusal.kind);

/** What admission has to say beside refusals. */
export type AdmissionNote =
  | { readonly kind: "foreignAddress"; readonly service: ServiceName; readonly address: Address }
  | { readonly kind: "defaultPort"; readonly service: ServiceName }
  | { readonly kind: "notYet"; readonly service: ServiceName };

/** One sentence: what admission noticed on a Service. */
export function explainNote(note: AdmissionNote): string {
  const thing = `Service "${note.service.namespace}/${note.service.name}"`;
  switch (note.kind) {
    case "foreignAddress":
      return `${thing} has ${printAddress(note.address)} in its annotation ${keys.addresses}, which is not claimed for it; leave that annotation to Berth`;
    case "defaultPort":
      return `${thing} lists no ports, so that Berth added 80/TCP named "${keys.defaultPort}"; list the ports that it is to serve`;
    case "notYet":
      return `${thing} has no address yet; it gets one within seconds, see kubectl describe`;
  }
}
