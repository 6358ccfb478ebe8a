/** Mutate: writes the addresses on the Service before it is stored. Never throws for what a user wrote. */
import type { a, PeprMutateRequest } from "pepr";
import { adoptAddresses, claimAddresses, type ServiceRefusal } from "../cluster/claims.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { keptAddresses } from "../cluster/kept.ts";
import type { Service } from "../cluster/kinds.ts";
import { log } from "../cluster/log.ts";
import { annotatedAddresses, asksForAddress, isOurs, serviceNameOf } from "../cluster/read.ts";
import { annotationsFor } from "../cluster/write.ts";
import { printAddress, type Address } from "../core/address/address.ts";
import type { Allocation } from "../core/allocation/allocate.ts";
import { isHeldBy } from "../core/allocation/holder.ts";
import { keys } from "../core/keys.ts";
import { chooseSurely, findDenial, storedOf } from "./denial.ts";

/** The port of a Service that lists none, as an address is often asked for before it is known what for. */
const DEFAULT_PORT = { name: keys.defaultPort, port: 80, protocol: "TCP" } as const;

/** Sets the annotation to the addresses claimed; where none can be, to what it was before. */
export async function assign(request: PeprMutateRequest<a.Service>, cluster: Cluster): Promise<void> {
  // What the watcher writes is decided already.
  if (request.Request.userInfo.username === keys.operatorUser) return;
  restoreAnnotations(request);
  if (!isOurs(request.Raw)) return;
  addMissingPort(request.Raw);
  // With generateName the API server picks the name only after this; the watcher then assigns.
  if (request.Request.name === "" && (request.Raw.metadata?.name ?? "") === "") return;
  try {
    const wanted = toBeStored(request);
    const isDryRun = request.IsDryRun ?? false;
    const claim = (): ReturnType<typeof claimAddresses> => claimAddresses(wanted, cluster, { isDryRun });
    const choice = await chooseSurely({ wanted, stored: storedOf(request) }, cluster, claim);
    // Validate refuses what can't be served, in words; a throw here would reach people as a fixed text.
    if (choice.ok) setAnnotations(request.Raw, annotationsOf(choice.value, cluster));
    else await goOn(request, choice.error, cluster);
  } catch (err) {
    log.error(
      { err, namespace: request.Request.namespace, name: request.Request.name },
      "address not claimed, left to the watcher",
    );
  }
}

const annotationsOf = ({ addresses, pool }: Allocation, cluster: Cluster): Readonly<Record<string, string | null>> =>
  annotationsFor(addresses, cluster.nameOfPool(pool));

/**
 * The Service as it will be stored: with the status that it has. The API server puts that back only after Mutate, and what
 * stands in the request is whatever the client wrote there.
 */
function toBeStored(request: PeprMutateRequest<a.Service>): Service {
  const service = structuredClone(request.Raw);
  const status = storedOf(request)?.status;
  if (status === undefined) delete service.status;
  else service.status = status;
  return service;
}

/**
 * It goes on with what it has and may keep. Unless the request is to be denied, that is claimed on its new terms too, before
 * somebody comes in who would not agree with them.
 */
async function goOn(request: PeprMutateRequest<a.Service>, refusal: ServiceRefusal, cluster: Cluster): Promise<void> {
  dropLost(request, cluster);
  if (request.IsDryRun === true || refusal.kind === "addressDoubled") return;
  const wanted = toBeStored(request);
  if (findDenial({ wanted, stored: storedOf(request) }, refusal, cluster) !== undefined) return;
  await adoptAddresses(wanted, keptAddresses(wanted, cluster), cluster);
}

/**
 * What stands in the annotations is Berth's word alone, so whatever the request made of them is put back; what stood on a
 * Service that was not Berth's yet was written by somebody else.
 */
function restoreAnnotations(request: PeprMutateRequest<a.Service>): void {
  const { Raw } = request;
  const stored = storedOf(request);
  const isStoredOurs = stored !== undefined && isOurs(stored);
  // That of the pool is MetalLB's as well, on Services that are its own.
  if (!isOurs(Raw) && !isStoredOurs && annotatedAddresses(Raw) === undefined) return;
  const before = isStoredOurs && isOurs(Raw) ? (stored.metadata?.annotations ?? {}) : {};
  const names = Object.keys(annotationsFor([], undefined));
  setAnnotations(Raw, Object.fromEntries(names.map((name) => [name, before[name] ?? null])));
}

/** Sets the annotations on the object, and takes off those that are null; one without annotations stays so. */
function setAnnotations(service: a.Service, changes: Readonly<Record<string, string | null>>): void {
  const { annotations } = (service.metadata ??= {});
  const others = Object.entries(annotations ?? {}).filter(([name]) => !Object.hasOwn(changes, name));
  const set = Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== null);
  if (annotations !== undefined || set.length > 0)
    service.metadata.annotations = Object.fromEntries([...others, ...set]);
}

/** An address that somebody else came to hold is not put back: Validate would refuse every update of the Service. */
function dropLost({ Raw }: PeprMutateRequest<a.Service>, { ledger }: Cluster): void {
  const service = serviceNameOf(Raw);
  const isLost = (address: Address): boolean => {
    const holder = ledger.occupancy.holderOf(address);
    return holder !== undefined && !isHeldBy(holder, service);
  };
  const addresses = annotatedAddresses(Raw) ?? [];
  if (!addresses.some(isLost)) return;
  const kept = addresses.filter((address) => !isLost(address)).map(printAddress);
  const pool = kept.length === 0 ? null : (Raw.metadata?.annotations?.[keys.fromPool] ?? null);
  setAnnotations(Raw, {
    [keys.addresses]: kept.length === 0 ? null : kept.join(","),
    [keys.fromPool]: pool,
  });
}

/** A Service that asks for an address by name and lists no port would be refused by the API server. */
function addMissingPort(service: a.Service): void {
  const hasPorts = (service.spec?.ports ?? []).length > 0;
  if (service.spec === undefined || hasPorts || !asksForAddress(service)) return;
  service.spec.ports = [{ ...DEFAULT_PORT }];
}
