/** Why a Service gets no address: values only, explain makes the text. */
import type { Address, AddressProblem, Family } from "../address/address.ts";
import type { Range } from "../address/range.ts";
import type { ServeProblem } from "../pool/serve.ts";
import type { Holder, ServiceName } from "./holder.ts";
import type { SharingConflict } from "./sharing.ts";

/** What is wrong with a request by itself; `source` is where the pin was written. */
export type RequestRefusal = { readonly service: ServiceName } & (
  | {
      readonly kind: "malformedPin";
      readonly source: string;
      readonly text: string;
      readonly item: string;
      readonly problem: AddressProblem;
    }
  | { readonly kind: "holeInPins"; readonly source: string; readonly text: string }
  | { readonly kind: "duplicatePin"; readonly source: string; readonly address: Address }
  | {
      readonly kind: "twoPinsOfOneFamily";
      readonly source: string;
      readonly family: Family;
      readonly addresses: readonly Address[];
    }
  | {
      readonly kind: "pinnedTwice";
      readonly source: string;
      readonly annotated: readonly Address[];
      readonly specified: Address;
    }
  | {
      readonly kind: "wrongFamilyPin";
      readonly source: string;
      readonly address: Address;
      readonly families: readonly Family[];
    }
  | { readonly kind: "headless" }
);

/** A pool and what it spans, for people to choose from. */
export type PoolRanges = { readonly pool: string; readonly ranges: readonly Range[] };

/** A pool and how full it is, counting the families asked for. */
export type PoolUse = { readonly pool: string; readonly used: bigint; readonly size: bigint };

/**
 * Why the pools cannot serve a request; pools are named namespace/name, `free` is an address that would do.
 * A pin comes with the source it was written in.
 */
export type AllocationRefusal = { readonly service: ServiceName } & (
  | {
      readonly kind: "outsidePools";
      readonly source: string;
      readonly address: Address;
      readonly pools: readonly PoolRanges[];
      readonly free: Address | undefined;
    }
  | {
      readonly kind: "pinHeld";
      readonly source: string;
      readonly address: Address;
      readonly holder: Holder;
      /** Why it can't be shared, where the Service asks for that. */
      readonly conflict: SharingConflict | undefined;
      readonly free: Address | undefined;
    }
  | {
      readonly kind: "pinMayNotServe";
      readonly source: string;
      readonly address: Address;
      readonly pool: string;
      readonly problem: ServeProblem;
      readonly free: Address | undefined;
    }
  | {
      readonly kind: "buggyPin";
      readonly source: string;
      readonly address: Address;
      readonly pool: string;
      readonly free: Address | undefined;
    }
  | {
      readonly kind: "pinOutsideNamedPool";
      readonly source: string;
      readonly address: Address;
      readonly pool: string;
      readonly named: string;
      readonly free: Address | undefined;
    }
  | {
      readonly kind: "pinInInertPool";
      readonly source: string;
      readonly address: Address;
      readonly pool: string;
      readonly free: Address | undefined;
    }
  | {
      readonly kind: "pinsInDifferentPools";
      readonly source: string;
      readonly pins: readonly { readonly address: Address; readonly pool: string }[];
    }
  | {
      readonly kind: "pinPoolLacksFamily";
      readonly source: string;
      readonly pins: readonly Address[];
      readonly pool: string;
      readonly missing: readonly Family[];
    }
  | { readonly kind: "poolMayNotServe"; readonly pool: string; readonly problem: ServeProblem }
  | { readonly kind: "unknownPool"; readonly named: string; readonly known: readonly string[] }
  | { readonly kind: "ambiguousPool"; readonly named: string; readonly candidates: readonly string[] }
  /** `kept` is what the Service has of the pool; empty where it only names the pool. */
  | { readonly kind: "poolInert"; readonly pool: string; readonly kept: readonly Address[] }
  | { readonly kind: "addressOfNoPool"; readonly addresses: readonly Address[] }
  | { readonly kind: "addressDoubled"; readonly address: Address; readonly holder: Holder }
  | { readonly kind: "noPools"; readonly anyPool: boolean }
  | { readonly kind: "noEligiblePool"; readonly pools: readonly string[] }
  | { readonly kind: "noPoolForFamily"; readonly families: readonly Family[]; readonly pools: readonly string[] }
  | { readonly kind: "poolsFull"; readonly families: readonly Family[]; readonly pools: readonly PoolUse[] }
);

/** What a changed or deleted pool would take from Services: the lowest addresses with their holders, and how many in all. */
export type StrandedAddresses = {
  readonly kind: "strandedAddresses";
  readonly pool: string;
  readonly lost: readonly { readonly address: Address; readonly holder: ServiceName }[];
  readonly count: number;
};

/** Whether the Service is admitted with a Warning and served as soon as it can be; else the request is denied. */
export function isPending(refusal: RequestRefusal | AllocationRefusal): boolean {
  return PENDING.has(refusal.kind);
}

/** The addresses that the Service goes on with where nothing is wrong but that no usable pool has them; else undefined. */
export function stayingWith(refusal: RequestRefusal | AllocationRefusal): readonly Address[] | undefined {
  if (refusal.kind === "addressOfNoPool") return refusal.addresses;
  return refusal.kind === "poolInert" && refusal.kept.length > 0 ? refusal.kept : undefined;
}

const PENDING: ReadonlySet<string> = new Set([
  "unknownPool",
  "noPools",
  "noEligiblePool",
  "noPoolForFamily",
  "poolsFull",
  "poolInert",
  "addressOfNoPool",
  "addressDoubled",
] satisfies AllocationRefusal["kind"][]);

/** Whether there is no address for anybody like the Service, for want of a pool or of room: what the setting `exhaustion` is about. */
export const isExhausted = ({ kind }: RequestRefusal | AllocationRefusal): boolean =>
  kind === "poolsFull" || kind === "noPools";
