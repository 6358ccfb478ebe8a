/** An advertisement read from its L2Advertisement: which addresses, from which nodes, on which interfaces. */
import type { ListRefusal, Selector, SelectorInput, Subject } from "../labels.ts";
import { parseNames, parseSelector, parseSelectors } from "../labels.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";

/** What core reads of an L2Advertisement; the generated CRD type fits it. */
export type L2AdvertisementInput = {
  readonly metadata?: { readonly name?: string | undefined; readonly namespace?: string | undefined } | undefined;
  readonly spec?:
    | {
        readonly ipAddressPools?: readonly string[] | undefined;
        readonly ipAddressPoolSelectors?: readonly SelectorInput[] | undefined;
        readonly nodeSelectors?: readonly SelectorInput[] | undefined;
        readonly interfaces?: readonly string[] | undefined;
        readonly serviceSelectors?: readonly SelectorInput[] | undefined;
        readonly preferredNodeSelectors?: readonly PreferenceInput[] | undefined;
      }
    | undefined;
};

/** One entry of preferredNodeSelectors. */
export type PreferenceInput = {
  readonly weight?: number | undefined;
  readonly preference?: SelectorInput | undefined;
};

/** A sound advertisement; `key` is namespace/name, and each empty list sets no condition. */
export type Advertisement = {
  readonly key: string;
  readonly poolNames: readonly string[];
  readonly poolSelectors: readonly Selector[];
  readonly nodeSelectors: readonly Selector[];
  readonly interfaces: readonly string[];
  readonly serviceSelectors: readonly Selector[];
  readonly preferences: readonly Preference[];
};

/** How much a node that matches is preferred, 1 to 100. */
export type Preference = { readonly weight: number; readonly selector: Selector };

/** What is wrong with an advertisement by itself. */
export type AdvertisementRefusal =
  | ListRefusal
  | { readonly kind: "badWeight"; readonly advertisement: string; readonly weight: number | undefined };

/** The advertisement, or the first thing in it that is wrong whatever else there is. */
export function parseAdvertisement(input: L2AdvertisementInput): Result<Advertisement, AdvertisementRefusal> {
  const { namespace = "", name = "" } = input.metadata ?? {};
  const spec = input.spec ?? {};
  const key = `${namespace}/${name}`;
  const subject: Subject = { type: "L2Advertisement", key };
  const poolNames = parseNames(subject, "ipAddressPools", spec.ipAddressPools);
  if (!poolNames.ok) return poolNames;
  const selectors = parseSelectorFields(subject, spec);
  if (!selectors.ok) return selectors;
  const preferences = parsePreferences(subject, spec.preferredNodeSelectors ?? []);
  if (!preferences.ok) return preferences;
  const interfaces = [...new Set(spec.interfaces)]; // MetalLB takes the same interface twice, and it does no harm
  return ok({ key, poolNames: poolNames.value, interfaces, ...selectors.value, preferences: preferences.value });
}

type Spec = NonNullable<L2AdvertisementInput["spec"]>;
type Selectors = Pick<Advertisement, "poolSelectors" | "nodeSelectors" | "serviceSelectors">;

function parseSelectorFields(subject: Subject, spec: Spec): Result<Selectors, ListRefusal> {
  const ofPools = parseSelectors(subject, "ipAddressPoolSelectors", spec.ipAddressPoolSelectors);
  if (!ofPools.ok) return ofPools;
  const ofNodes = parseSelectors(subject, "nodeSelectors", spec.nodeSelectors);
  if (!ofNodes.ok) return ofNodes;
  const ofServices = parseSelectors(subject, "serviceSelectors", spec.serviceSelectors);
  if (!ofServices.ok) return ofServices;
  return ok({ poolSelectors: ofPools.value, nodeSelectors: ofNodes.value, serviceSelectors: ofServices.value });
}

function parsePreferences(
  subject: Subject,
  inputs: readonly PreferenceInput[],
): Result<readonly Preference[], AdvertisementRefusal> {
  const preferences: Preference[] = [];
  for (const { weight, preference } of inputs) {
    if (weight === undefined || !Number.isInteger(weight) || weight < 1 || weight > 100) {
      return err({ kind: "badWeight", advertisement: subject.key, weight });
    }
    const selector = parseSelector(preference ?? {});
    if (!selector.ok)
      return err({ kind: "badSelector", subject, field: "preferredNodeSelectors", problem: selector.error });
    preferences.push({ weight, selector: selector.value });
  }
  return ok(preferences);
}
