import type { AllocationRefusal, RequestRefusal, StrandedAddresses } from "./allocation/refusal.ts";
import type { AdvertisementRefusal } from "./announce/advertisement.ts";
import type { NotAnnounced } from "./announce/plan-types.ts";
import type { PoolOverlap, PoolRefusal } from "./pool/refusal.ts";

/** Everything that can be refused. */
export type Refusal =
  | PoolRefusal
  | PoolOverlap
  | AdvertisementRefusal
  | RequestRefusal
  | AllocationRefusal
  | StrandedAddresses;

/** One sentence for people. */
export declare function explain(refusal: Refusal): string;
/** One sentence for people: why nobody announces the address. */
export declare function explainNotAnnounced(notAnnounced: NotAnnounced): string;
