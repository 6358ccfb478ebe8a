/** What a Service asks for, read from the object. */
import type { Address, Family } from "../address/address.ts";
import { otherFamily, parseAddress } from "../address/address.ts";
import { keys } from "../keys.ts";
import type { Labels } from "../labels.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { ServiceName } from "./holder.ts";
import type { Anchored } from "./keep.ts";
import { readPins } from "./pins.ts";
import type { RequestRefusal } from "./refusal.ts";
import type { SharingTerms, TermsInput } from "./terms.ts";
import { readTerms } from "./terms.ts";

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
    | ({
        readonly type?: string | undefined;
        readonly loadBalancerClass?: string | undefined;
        readonly loadBalancerIP?: string | undefined;
        readonly clusterIP?: string | undefined;
        readonly clusterIPs?: readonly string[] | undefined;
        readonly ipFamilies?: readonly string[] | undefined;
        readonly ipFamilyPolicy?: string | undefined;
      } & NonNullable<TermsInput["spec"]>)
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
  /** The addresses it asks for, at most one a family, in the order written. */
  readonly pins: readonly Address[];
  readonly pinSource: PinSource;
  /** The pool it asks for, by name or namespace/name. */
  readonly poolName: string | undefined;
  /** On which terms it shares an address; with an empty key it has its own. */
  readonly terms: SharingTerms;
  /**
   * The addresses it holds now, for allocate to keep where it may, in the order in which it lists them; readRequest
   * leaves it empty.
   */
  readonly held: readonly Address[];
  /** Those of `held` that are written on it, and not only claimed for it; readRequest leaves it out. */
  readonly listed?: readonly Address[] | undefined;
  /** What it keeps where it asks for nothing else, although no usable pool has it; readRequest leaves it out. */
  readonly anchored?: Anchored | undefined;
};

/** Whether Berth gives the Service addresses: a LoadBalancer of no class, or of Berth's. */
export function wantsAddress(service: ServiceInput, loadBalancerClass: string): boolean {
  const wanted = service.spec?.loadBalancerClass ?? loadBalancerClass;
  return service.spec?.type === "LoadBalancer" && wanted === loadBalancerClass;
}

/** What the Service asks for, with nothing held yet; the Service's own families decide, else those of the cluster. */
export function readRequest(
  service: ServiceInput,
  facts: ClusterFacts,
  namespaceLabels: Labels,
): Result<ServiceRequest, RequestRefusal> {
  const namespace = service.metadata?.namespace ?? "";
  const name: ServiceName = { namespace, name: service.metadata?.name ?? "" };
  if (clusterAddresses(service).includes("None")) return err({ kind: "headless", service: name });
  const { families, needsAllFamilies } = readFamilies(service, facts);
  const pins = readPins(service, name, families);
  if (!pins.ok) return pins;
  return ok({
    service: name,
    namespace,
    labels: service.metadata?.labels ?? {},
    namespaceLabels,
    families,
    needsAllFamilies,
    pins: pins.value.pins,
    pinSource: pins.value.pinSource,
    poolName: readPoolName(service),
    terms: readTerms(service),
    held: [],
  });
}

/** The new annotation wins whenever its key exists; an empty one asks for no pool. */
function readPoolName(service: ServiceInput): string | undefined {
  const annotations = service.metadata?.annotations ?? {};
  const name = (annotations[keys.poolNew] ?? annotations[keys.poolOld] ?? "").trim();
  return name === "" ? undefined : name;
}

type Families = Pick<ServiceRequest, "families" | "needsAllFamilies">;

/** ClusterIPs decide where the API server gave some; on create they come after admission, so then the spec decides. */
function readFamilies(service: ServiceInput, facts: ClusterFacts): Families {
  const policy = service.spec?.ipFamilyPolicy;
  const [first] = clusterFamilies(service);
  if (first === undefined) return readAsked(service, facts);
  // The API server gives the other ClusterIP only after admission, where one was asked for or there from before.
  const families = policy === "RequireDualStack" ? [first, otherFamily(first)] : trim(clusterFamilies(service), policy);
  return { families, needsAllFamilies: policy !== "PreferDualStack" };
}

function readAsked(service: ServiceInput, facts: ClusterFacts): Families {
  const policy = service.spec?.ipFamilyPolicy;
  const asked = (service.spec?.ipFamilies ?? []).flatMap((family) => (isFamily(family) ? [family] : [])).slice(0, 2);
  const first = asked[0] ?? facts.primaryFamily;
  const both = [first, otherFamily(first)];
  switch (policy) {
    case "RequireDualStack":
      return { families: both, needsAllFamilies: true };
    case "PreferDualStack":
      return { families: facts.secondaryFamily === undefined ? [first] : both, needsAllFamilies: false };
    default:
      return { families: trim(asked.length > 0 ? asked : [first], policy), needsAllFamilies: true };
  }
}

const trim = (families: readonly Family[], policy: string | undefined): readonly Family[] =>
  policy === "SingleStack" ? families.slice(0, 1) : families;

const isFamily = (text: string): text is Family => text === "IPv4" || text === "IPv6";

function clusterFamilies(service: ServiceInput): readonly Family[] {
  const families = clusterAddresses(service).flatMap((text) => {
    const parsed = parseAddress(text);
    return parsed.ok ? [parsed.value.family] : [];
  });
  return [...new Set(families)];
}

function clusterAddresses(service: ServiceInput): readonly string[] {
  const { clusterIPs, clusterIP } = service.spec ?? {};
  if (clusterIPs !== undefined && clusterIPs.length > 0) return clusterIPs;
  return clusterIP === undefined ? [] : [clusterIP];
}
