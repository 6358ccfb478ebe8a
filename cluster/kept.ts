/** What a Service goes on with while its request can't be served as it stands. */
import { sameAddress, type Address } from "../core/address/address.ts";
import { findParting, type Loss, type Parting } from "../core/allocation/keep.ts";
import { readTerms } from "../core/allocation/terms.ts";
import type { Cluster } from "./cluster.ts";
import type { Service } from "./kinds.ts";
import { listedAddresses, serviceNameOf } from "./read.ts";

function partingFrom(address: Address, service: Service, cluster: Cluster): Parting | undefined {
  const possession = {
    address,
    service: serviceNameOf(service),
    terms: readTerms(service),
    served: cluster.servedAs(service),
    holder: cluster.ledger.occupancy.holderOf(address),
    claimedFrom: cluster.claimedFrom(address),
  };
  return findParting(possession, cluster.usablePools());
}

/** Those of its addresses that it may keep, in its order. */
export const keptAddresses = (service: Service, cluster: Cluster): readonly Address[] =>
  listedAddresses(service).filter((address) => partingFrom(address, service, cluster) === undefined);

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
