/** What a Service goes on with while its request can't be served as it stands. */
import { sameAddress, type Address } from "../core/address/address.ts";
import { mayGoOn } from "../core/allocation/keep.ts";
import { findObstacle } from "../core/allocation/sharing.ts";
import { readTerms } from "../core/allocation/terms.ts";
import type { Cluster } from "./cluster.ts";
import type { Service } from "./kinds.ts";
import { listedAddresses, serviceNameOf } from "./read.ts";

/** Those of its addresses that a pool may still give it, in its order; not one that others hold on terms it has left. */
export function keptAddresses(service: Service, cluster: Cluster): readonly Address[] {
  const [name, terms, served] = [serviceNameOf(service), readTerms(service), cluster.servedAs(service)];
  return listedAddresses(service).filter((address) => {
    if (!mayGoOn(address, cluster.claimedFrom(address), served, cluster.usablePools())) return false;
    const holder = cluster.ledger.occupancy.holderOf(address);
    return findObstacle(holder, { service: name, terms, across: "adopted" }) === undefined;
  });
}

/** The addresses that the Service goes on with as it is stored, and would not as it is wanted. */
export function lostAddresses(stored: Service, wanted: Service, cluster: Cluster): readonly Address[] {
  const kept = keptAddresses(wanted, cluster);
  return keptAddresses(stored, cluster).filter((address) => !kept.some((one) => sameAddress(one, address)));
}
