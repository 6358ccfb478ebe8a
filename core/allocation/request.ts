/** What a Service asks for, read from the object. */
import type { Address, Family } from "../address/address.ts";
import type { Labels } from "../labels.ts";
import type { Result } from "../result.ts";
import type { ServiceName } from "./holder.ts";
import type { RequestRefusal } from "./refusal.ts";

/** What core reads of a v1 Service. */
export type ServiceInput = {
  readonly metadata?:
    | {
        readonly name?: string | undefined;
        readonly namespace?: string | undefined;
        readonly labels?: Readonly<Record<string, string>> | undefined;
        readonly annotations?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  readonly spec?:
    | {
        readonly type?: string | undefined;
        readonly loadBalancerClass?: string | undefined;
        readonly loadBalancerIP?: string | undefined;
        readonly clusterIP?: string | undefined;
        readonly clusterIPs?: readonly string[] | undefined;
        readonly ipFamilies?: readonly string[] | undefined;
        readonly ipFamilyPolicy?: string | undefined;
      }
    | undefined;
};

/** The families of the cluster's Service addresses; the primary one is what a Service gets that asks for none. */
export type ClusterFacts = { readonly primaryFamily: Family; readonly secondaryFamily?: Family | undefined };

/** Where a pin was written: an annotation's key, or spec.loadBalancerIP. */
export type PinSource = string;

/** What a Service asks for and holds. */
export type ServiceRequest = {
  readonly service: ServiceName;
  readonly namespace: string;
  readonly labels: Labels;
  readonly namespaceLabels: Labels;
  /** The families it is to have, in the Service's own order; one or two. */
  readonly families: readonly Family[];
  /** Whether every family is needed, or one will do when no pool has them all (PreferDualStack). */
  readonly needsAllFamilies: boolean;
  /** The addresses it asks for, at most one a family, in the order of `families`. */
  readonly pins: readonly Address[];
  readonly pinSource: PinSource;
  readonly poolName: string | undefined;
  /** The addresses it holds now, for allocate to keep where it may; readRequest leaves it empty. */
  readonly held: readonly Address[];
};
/** Whether Berth gives the Service addresses. */
export declare function wantsAddress(service: ServiceInput, loadBalancerClass: string): boolean;
/** What the Service asks for. */
export declare function readRequest(
  service: ServiceInput,
  facts: ClusterFacts,
  namespaceLabels: Labels,
): Result<ServiceRequest, RequestRefusal>;
