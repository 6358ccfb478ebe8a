/** Mutate: writes the addresses on the Service before it is stored. Never throws for what a user wrote. */
import type { a, PeprMutateRequest } from "pepr";
import { claimAddresses } from "../cluster/claims.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { log } from "../cluster/log.ts";
import { annotatedAddresses, asksForAddress, isOurs, serviceNameOf } from "../cluster/read.ts";
import { printAddress, type Address } from "../core/address/address.ts";
import { sameHolder, serviceHolder } from "../core/allocation/holder.ts";
import { keys } from "../core/keys.ts";

/** The port of a Service that lists none, as an address is often asked for before it is known what for. */
const DEFAULT_PORT = { name: keys.defaultPort, port: 80, protocol: "TCP" } as const;

/** Sets the annotation to the addresses claimed; where none can be, to what it was before. */
export async function assign(request: PeprMutateRequest<a.Service>, cluster: Cluster): Promise<void> {
  restoreAnnotation(request);
  if (!isOurs(request.Raw)) return;
  addMissingPort(request.Raw);
  // With generateName the API server picks the name only after this; the watcher then assigns.
  if (request.Request.name === "" && (request.Raw.metadata?.name ?? "") === "") return;
  try {
    const isDryRun = request.IsDryRun ?? false;
    const choice = await claimAddresses(request.Raw, cluster, { isDryRun, isAdmission: true });
    // Validate refuses what can't be served, in words; a throw here would reach people as a fixed text.
    if (choice.ok) request.SetAnnotation(keys.addresses, choice.value.addresses.map(printAddress).join(","));
    else dropLost(request, cluster);
  } catch (err) {
    log.error(
      { err, namespace: request.Request.namespace, name: request.Request.name },
      "address not claimed, left to the watcher",
    );
  }
}

/** What stands in the annotation is Berth's word alone, so whatever the request made of it is put back. */
function restoreAnnotation(request: PeprMutateRequest<a.Service>): void {
  const before = request.OldResource?.metadata?.annotations?.[keys.addresses];
  if (before !== undefined && isOurs(request.Raw)) request.SetAnnotation(keys.addresses, before);
  else if (request.Raw.metadata?.annotations !== undefined) {
    request.Raw.metadata.annotations = without(request.Raw.metadata.annotations, keys.addresses);
  }
}

/** An address that somebody else came to hold is not put back: Validate would refuse every update of the Service. */
function dropLost({ Raw }: PeprMutateRequest<a.Service>, { ledger }: Cluster): void {
  const service = serviceHolder(serviceNameOf(Raw));
  const isLost = (address: Address): boolean => !sameHolder(ledger.occupancy.holderOf(address) ?? service, service);
  const addresses = annotatedAddresses(Raw) ?? [];
  if (Raw.metadata?.annotations === undefined || !addresses.some(isLost)) return;
  const kept = addresses.filter((address) => !isLost(address)).map(printAddress);
  const others = without(Raw.metadata.annotations, keys.addresses);
  Raw.metadata.annotations = kept.length === 0 ? others : { ...others, [keys.addresses]: kept.join(",") };
}

const without = (annotations: Readonly<Record<string, string>>, name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== name));

/** A Service that asks for an address by name and lists no port would be refused by the API server. */
function addMissingPort(service: a.Service): void {
  const hasPorts = (service.spec?.ports ?? []).length > 0;
  if (service.spec === undefined || hasPorts || !asksForAddress(service)) return;
  service.spec.ports = [{ ...DEFAULT_PORT }];
}
