/** Asks the API server how things stand where what this process has heard may be old. Decides nothing, writes nothing. */
import { printAddress, type Address } from "../core/address/address.ts";
import { servicesOf, type ServiceName } from "../core/allocation/holder.ts";
import { refreshClaim } from "./claim-writes.ts";
import type { Cluster } from "./cluster.ts";
import { kinds } from "./kinds.ts";
import { hearAll, PATIENCE_MILLIS, within } from "./patience.ts";

/**
 * Takes in what addresses are given by as it is stored now, and who holds those named; false where the API server could not
 * be asked. Claims and Services are too many to be listed for one request, so of them only those that matter are read.
 */
export async function hearAnew(held: readonly Address[], cluster: Cluster): Promise<boolean> {
  const { api, pools, namespaces, serviceCIDRs } = cluster;
  const heard = await Promise.all([
    hearAll(api, kinds.pools, pools),
    hearAll(api, kinds.namespaces, namespaces),
    hearAll(api, kinds.serviceCIDRs, serviceCIDRs),
    ...held.map((address) => within(PATIENCE_MILLIS, hearOfHolder(address, cluster))),
  ]);
  return heard.some((one) => one !== undefined);
}

/** Takes in who holds the address now. */
async function hearOfHolder(address: Address, cluster: Cluster): Promise<true> {
  const claim = cluster.claims.get({ name: printAddress(address) });
  if (claim !== undefined) await refreshClaim(claim, cluster);
  const holder = cluster.ledger.occupancy.holderOf(address);
  const services = holder === undefined ? [] : servicesOf(holder);
  await Promise.all(services.map((service) => hearOfService(service, cluster)));
  return true;
}

/** Services that are asked for at a time. */
const AT_ONCE = 16;

/** Takes in how the Services are stored now, or that they are not. Throws where that could not be learned in time. */
export async function hearOfServices(names: readonly ServiceName[], cluster: Cluster): Promise<void> {
  const all = async (): Promise<true> => {
    for (let first = 0; first < names.length; first += AT_ONCE)
      await Promise.all(names.slice(first, first + AT_ONCE).map((name) => hearOfService(name, cluster)));
    return true;
  };
  if ((await within(PATIENCE_MILLIS, all())) === undefined)
    throw new Error(`${String(names.length)} Services that claims name could not be read`);
}

/** Takes in how the Service is stored now, or that it is not. */
async function hearOfService({ namespace, name }: ServiceName, { api, services }: Cluster): Promise<void> {
  const known = services.get({ namespace, name });
  const fresh = await api.get(kinds.services, { namespace, name });
  if (fresh !== undefined) services.accept(fresh);
  else if (known !== undefined) services.drop(known);
}
