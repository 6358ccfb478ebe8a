/** Asks the API server how things stand where what this process has heard may be old. Decides nothing, writes nothing. */
import type { Cluster } from "./cluster.ts";
import { kinds } from "./kinds.ts";
import { hearAll } from "./patience.ts";

/** Takes in what addresses are given by as it is stored now; false where the API server could not be asked. */
export async function hearAnew({ api, pools, namespaces, serviceCIDRs }: Cluster): Promise<boolean> {
  const heard = await Promise.all([
    hearAll(api, kinds.pools, pools),
    hearAll(api, kinds.namespaces, namespaces),
    hearAll(api, kinds.serviceCIDRs, serviceCIDRs),
  ]);
  return heard.some((one) => one !== undefined);
}
