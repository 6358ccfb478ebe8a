import type { Address } from "../address/address.ts";
import type { Pool } from "../pool/pool.ts";
import type { Result } from "../result.ts";
import type { Occupancy } from "./occupancy.ts";
import type { AllocationRefusal } from "./refusal.ts";
import type { ServiceRequest } from "./request.ts";

/** The addresses a Service is to have, in the order of its families, and their pool (namespace/name). */
export type Allocation = { readonly pool: string; readonly addresses: readonly Address[] };

/** What addresses are chosen from: the usable pools, and who holds what. */
export type Supply = {
  readonly pools: readonly Pool[];
  readonly occupancy: Pick<Occupancy, "holderOf" | "lowestFree" | "countIn">;
  /** Whether there is any pool at all, usable or not; by default, whether there is a usable one. */
  readonly anyPool?: boolean | undefined;
};

/** The addresses for the request; takes nothing, so the same question has the same answer. */
export declare function allocate(request: ServiceRequest, supply: Supply): Result<Allocation, AllocationRefusal>;
