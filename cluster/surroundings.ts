/** What pools and advertisements are checked against, as core values. No I/O, no decisions. */
import { parseRange } from "../core/address/range.ts";
import type { Choosable } from "../core/announce/gaps.ts";
import { poolKeyOf } from "../core/pool/pool.ts";
import { sortNodeAddresses, type ServiceRange, type Surroundings } from "../core/pool/surroundings.ts";
import type { Cache } from "./cache.ts";
import type { IPAddressPool } from "./crd.ts";
import { metadataOf, type ApiObject, type Node, type ServiceCIDR } from "./kinds.ts";
import { nodeAddresses } from "./read.ts";

/** The caches that say what there is beside pools. */
type Caches = { readonly nodes: Cache<Node>; readonly serviceCIDRs: Cache<ServiceCIDR> };

/** The addresses of nodes and the ranges of ClusterIPs. */
export const surroundingsOf = ({ nodes, serviceCIDRs }: Caches): Surroundings => ({
  nodeAddresses: sortNodeAddresses(
    [...nodes.values()].flatMap((node) =>
      nodeAddresses(node).map((address) => ({ node: metadataOf(node).name, address })),
    ),
  ),
  serviceRanges: [...serviceCIDRs.values()].flatMap(serviceRangesOf),
});

const serviceRangesOf = (object: ServiceCIDR): readonly ServiceRange[] =>
  (object.spec?.cidrs ?? []).flatMap((cidr) => {
    const range = parseRange(cidr);
    return range.ok ? [{ serviceCidr: metadataOf(object).name, range: range.value }] : [];
  });

/** The objects by what selectors choose them by. */
export const choosable = (objects: Iterable<ApiObject>): readonly Choosable[] =>
  [...objects].map((object) => {
    const { name, labels } = metadataOf(object);
    return { name, labels };
  });

/** Whether two forms of a pool list the same addresses under the same name. */
export const sameAddresses = (left: IPAddressPool, right: IPAddressPool): boolean =>
  poolKeyOf(left) === poolKeyOf(right) &&
  JSON.stringify(left.spec?.addresses) === JSON.stringify(right.spec?.addresses);
