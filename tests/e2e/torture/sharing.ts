/** Whether two Services may have one address together, by the rules as a user knows them. */
import { metadataOf, type Service } from "../../../cluster/kinds.ts";
import { isIn, numberOf } from "./addresses.ts";
import { sharingKey, type Listing } from "./listing.ts";

const portsOf = ({ spec }: Service): readonly string[] =>
  (spec?.ports ?? []).map(({ protocol, port }) => `${protocol ?? "TCP"}/${String(port)}`);

const isLocal = ({ spec }: Service): boolean => spec?.externalTrafficPolicy === "Local";

const selectorOf = ({ spec }: Service): string => JSON.stringify(Object.entries(spec?.selector ?? {}).toSorted());

const hasSameBackend = (first: Service, second: Service): boolean =>
  isLocal(first) ? isLocal(second) && selectorOf(first) === selectorOf(second) : !isLocal(second);

const hasSameKey = (first: Service, second: Service): boolean =>
  sharingKey(first) !== "" && sharingKey(first) === sharingKey(second);

/** Whether two Services may have one address together. */
export function mayShare(first: Service, second: Service, address: string, { pools }: Pick<Listing, "pools">): boolean {
  const hasCommonPort = portsOf(first).some((port) => portsOf(second).includes(port));
  if (!hasSameKey(first, second) || hasCommonPort || !hasSameBackend(first, second)) return false;
  if (metadataOf(first).namespace === metadataOf(second).namespace) return true;
  const pool = pools.find((one) => isIn(one, numberOf(address) ?? -1n)) ?? {};
  return metadataOf(pool).annotations["berth.dev/cross-namespace-sharing"] === "true" && !isLocal(first);
}
