/** What the condition berth.dev/Ready of a pool or an advertisement says. */
import type { AdvertisementRefusal } from "../announce/advertisement.ts";
import type { AdvertisementGap } from "../announce/gaps.ts";
import type { NamespaceGap } from "../pool/namespaces.ts";
import { explainAdvertisement, explainPool, type PoolFault } from "./pool.ts";
import type { ReadyReason } from "./reasons.ts";

/** The condition but for its type and times; `reason` is for programs, `message` for people, one line a sentence. */
export type State = { readonly isReady: boolean; readonly reason: ReadyReason; readonly message: string };

/** Something to be said of a pool. */
export type PoolFinding = PoolFault | NamespaceGap;
/** Something to be said of an advertisement. */
export type AdvertisementFinding = AdvertisementRefusal | AdvertisementGap;

/** Reasons beside Malformed, which stands for everything that is wrong with an object by itself. */
const REASONS: Readonly<Partial<Record<(PoolFinding | AdvertisementFinding)["kind"], ReadyReason>>> = {
  poolOverlap: "Overlaps",
  nodeAddresses: "ContainsNodeAddresses",
  serviceRange: "OverlapsServiceCIDR",
  badSteering: "MalformedAnnotation",
  missingNamespaces: "MissingNamespaces",
  servesNobody: "ServesNobody",
  missingPools: "MissingPools",
  choosesNoPool: "NoPool",
  choosesNoNode: "NoNode",
};

/** The state of a pool: not ready when it is inert; the gravest finding comes first and gives the reason. */
export function describePool(pool: string, isUsable: boolean, findings: readonly PoolFinding[]): State {
  const [gravest] = findings;
  if (gravest === undefined)
    return { isReady: isUsable, reason: "Usable", message: `IPAddressPool "${pool}" gives addresses to Services` };
  return { isReady: isUsable, reason: reasonOf(gravest), message: findings.map(explainPool).join("\n") };
}

/** The state of an advertisement: ready when it is sound and all that it names and chooses by is there. */
export function describeAdvertisement(advertisement: string, findings: readonly AdvertisementFinding[]): State {
  const [gravest] = findings;
  const sound = `L2Advertisement "${advertisement}" announces addresses of its pools`;
  if (gravest === undefined) return { isReady: true, reason: "Usable", message: sound };
  return { isReady: false, reason: reasonOf(gravest), message: findings.map(explainAdvertisement).join("\n") };
}

const reasonOf = ({ kind }: PoolFinding | AdvertisementFinding): ReadyReason => REASONS[kind] ?? "Malformed";
