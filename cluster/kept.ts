/** What a Service goes on with while its request can't be served as it stands. */
import { printAddress, sameAddress, type Address, type Family } from "../core/address/address.ts";
import {
  findAnchor,
  findParting,
  type Anchored,
  type Loss,
  type Parting,
  type Possession,
} from "../core/allocation/keep.ts";
import { readTerms } from "../core/allocation/terms.ts";
import type { Cluster } from "./cluster.ts";
import type { Service } from "./kinds.ts";
import { listedAddresses, serviceNameOf, statusAddresses } from "./read.ts";

function possessionOf(address: Address, service: Service, cluster: Cluster): Possession {
  return {
    address,
    service: serviceNameOf(service),
    terms: readTerms(service),
    served: cluster.servedAs(service),
    holder: cluster.ledger.occupancy.holderOf(address),
    claimedFrom: cluster.claimedFrom(address),
    isAdopted: cluster.isAdopted(address, service),
  };
}

/** What no usable pool has is not the Service's by an annotation alone, which may be of whoever wrote it unseen. */
function partingFrom(address: Address, service: Service, cluster: Cluster): Parting | undefined {
  const isKnown = cluster.poolOf(address) !== undefined || isShown(address, service, cluster);
  return isKnown ? findParting(possessionOf(address, service, cluster), cluster.usablePools()) : { kind: "gone" };
}

const isShown = (address: Address, service: Service, cluster: Cluster): boolean =>
  cluster.claims.get({ name: printAddress(address) }) !== undefined ||
  statusAddresses(service).some((one) => sameAddress(one, address));

/** What it has of these families and keeps although no usable pool has it. */
export function findAnchored(service: Service, families: readonly Family[], cluster: Cluster): Anchored | undefined {
  const pools = cluster.usablePools();
  const ofFamilies = listedAddresses(service).filter(({ family }) => families.includes(family));
  const kept = ofFamilies.flatMap((address) => {
    const anchor = findAnchor(possessionOf(address, service, cluster), pools);
    return anchor === undefined || partingFrom(address, service, cluster) !== undefined ? [] : [{ address, anchor }];
  });
  const [first] = kept;
  return first === undefined ? undefined : { addresses: kept.map(({ address }) => address), anchor: first.anchor };
}

/** Those of its addresses that it may keep, in its order; only of these families where they are given. */
export const keptAddresses = (service: Service, cluster: Cluster, families?: readonly Family[]): readonly Address[] =>
  listedAddresses(service)
    .filter(({ family }) => families?.includes(family) ?? true)
    .filter((address) => partingFrom(address, service, cluster) === undefined);

/** What the Service keeps as it is stored, and would not as it is wanted. What it lists no more, Mutate has seen to. */
export function findLoss(stored: Service, wanted: Service, cluster: Cluster): Loss | undefined {
  const listed = listedAddresses(wanted);
  const had = keptAddresses(stored, cluster).filter((address) => listed.some((one) => sameAddress(one, address)));
  const lost = had.flatMap((address) => {
    const parting = partingFrom(address, wanted, cluster);
    return parting === undefined || parting.kind === "gone" ? [] : [{ address, parting }];
  });
  const [first] = lost;
  return first === undefined ? undefined : { addresses: lost.map(({ address }) => address), parting: first.parting };
}
