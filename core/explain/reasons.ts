/** The reasons that conditions and Events carry, for programs; docs/reference.md tells of each. */
import type { NotAnnouncedReason } from "../announce/plan-types.ts";

/** Reasons of the condition berth.dev/Announced. */
export type AnnouncedReason = "Announced" | "WaitingForAnnouncer" | Capitalize<NotAnnouncedReason>;

/** Reasons of the condition berth.dev/Ready of a pool or an advertisement. */
export type ReadyReason =
  | "Usable"
  | "Malformed"
  | "MalformedAnnotation"
  | "Overlaps"
  | "ContainsNodeAddresses"
  | "OverlapsServiceCIDR"
  | "MissingNamespaces"
  | "ServesNobody"
  | "MissingPools"
  | "NoPool"
  | "NoNode";

/** Reasons of Events: MetalLB's where it has one, since people and their alerts know them. */
export type EventReason =
  | "IPAllocated"
  | "AllocationFailed"
  | "LoadBalancerFailed"
  | "ClearAssignment"
  | "deprecatedAnnotation"
  | "nodeAssigned"
  | "PoolInert"
  | "PoolUsable"
  | "AdvertisementInert"
  | ReadyReason;
