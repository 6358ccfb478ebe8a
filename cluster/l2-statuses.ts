/** ServiceL2Status, as people know it from MetalLB: one object for each Service and node that answers for it. */
import { createHash } from "node:crypto";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import type { Cache } from "./cache.ts";
import type { Cluster } from "./cluster.ts";
import type { ServiceL2Status } from "./crd.ts";
import { isConflict } from "./errors.ts";
import { apiVersionOf, keyOf, kinds, metadataOf, parseKey, printKey, type ObjectKey } from "./kinds.ts";

/** Longest value that a label can have. */
const LABEL_LENGTH = 63;
/** Digits of a hash in an object's name: one in 2^64 that two share it. */
const NAME_DIGITS = 16;

/** A node that answers for a Service, and the interfaces, sorted. */
export type AnsweringNode = { readonly node: string; readonly interfaces: readonly string[] };

/** Berth's objects, by Service. */
export class L2Statuses {
  readonly #api: Api;
  readonly #cache: Cache<ServiceL2Status>;
  readonly #byService = new Map<string, Map<string, ServiceL2Status>>();
  /** The nodes that were told of, by Service. Of a Service that is not here the status of its objects says so. */
  readonly #told = new Map<string, Set<string>>();

  /** Follows the objects until the signal; calls back with the Service of one that somebody else deleted. */
  constructor(
    { api, l2Statuses }: Pick<Cluster, "api" | "l2Statuses">,
    { term, lost }: { readonly term: AbortSignal; readonly lost: (service: string) => void },
  ) {
    this.#api = api;
    this.#cache = l2Statuses;
    for (const object of l2Statuses.values()) this.#join(object);
    l2Statuses.subscribe(({ before, after }) => {
      if (before !== undefined) this.#leave(before);
      if (after !== undefined) this.#join(after);
      else if (before !== undefined && this.#isMissed(before)) lost(serviceOf(before));
    }, term);
  }

  #isMissed(object: ServiceL2Status): boolean {
    const told = this.#told.get(serviceOf(object));
    return isOurs(object) && told?.has(object.status?.node ?? "") === true;
  }

  #join(object: ServiceL2Status): void {
    if (!isOurs(object)) return;
    const service = serviceOf(object);
    const objects = this.#byService.get(service) ?? new Map<string, ServiceL2Status>();
    this.#byService.set(service, objects.set(metadataOf(object).name, object));
  }

  #leave(object: ServiceL2Status): void {
    const service = serviceOf(object);
    const objects = this.#byService.get(service);
    objects?.delete(metadataOf(object).name);
    if (objects?.size === 0) this.#byService.delete(service);
    this.#forget(service);
  }

  /** Not while there are objects: one of a node that is gone would pass for told. */
  #forget(service: string): void {
    if (this.#told.get(service)?.size === 0 && !this.#byService.has(service)) this.#told.delete(service);
  }

  #toldOf(service: string): Set<string> {
    const objects = [...(this.#byService.get(service)?.values() ?? [])];
    const told = this.#told.get(service) ?? new Set(objects.flatMap(({ status }) => status?.node ?? []));
    this.#told.set(service, told);
    return told;
  }

  /** The Services, namespace/name, that have such objects. */
  services(): Iterable<string> {
    return this.#byService.keys();
  }

  /**
   * Makes the objects say what is true, and tells of each node that is new before its object says so: whatever fails is
   * tried again, and told of once. Of a node that is gone the object goes last.
   */
  async bring(
    service: ObjectKey,
    answering: readonly AnsweringNode[],
    tell: (node: string) => Promise<void>,
  ): Promise<void> {
    const key = printKey(service);
    const told = this.#toldOf(key);
    const wanted = new Map(answering.map((one) => [nameOf(service, one.node), one]));
    for (const node of told) if (!wanted.has(nameOf(service, node))) told.delete(node);
    for (const one of wanted.values()) {
      if (!told.has(one.node)) await tell(one.node);
      this.#told.set(key, told.add(one.node));
      await this.#write(service, one);
    }
    for (const [name, object] of [...(this.#byService.get(key) ?? [])]) {
      if (!wanted.has(name)) await this.#api.remove(kinds.l2Statuses, keyOf(object), { uid: metadataOf(object).uid });
    }
    this.#forget(key);
  }

  async #write(service: ObjectKey, { node, interfaces }: AnsweringNode): Promise<void> {
    const name = nameOf(service, node);
    const found = this.#byService.get(printKey(service))?.get(name);
    const status = {
      node,
      serviceName: service.name,
      serviceNamespace: service.namespace ?? "",
      interfaces: interfaces.map((one) => ({ name: one })),
    };
    if (found !== undefined && says(found, status)) return;
    if (found === undefined) await this.#create(service, node);
    const key = { namespace: keys.namespace, name };
    this.#cache.accept(await this.#api.merge(kinds.l2Statuses, key, { status }, "status"));
  }

  async #create(service: ObjectKey, node: string): Promise<void> {
    const labels = {
      [keys.leaseManagedBy]: keys.leaseManager,
      ...(node.length > LABEL_LENGTH ? {} : { [keys.l2StatusNode]: node }),
      [keys.l2StatusService]: service.name,
      [keys.l2StatusNamespace]: service.namespace ?? "",
    };
    const { kind } = kinds.l2Statuses;
    const metadata = { name: nameOf(service, node), namespace: keys.namespace, labels };
    const object = { apiVersion: apiVersionOf(kinds.l2Statuses), kind, metadata };
    try {
      this.#cache.accept(await this.#api.create<ServiceL2Status>(kinds.l2Statuses, object));
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}

type Status = {
  readonly node?: string;
  readonly interfaces?: readonly { readonly name?: string }[];
};

/** Also one that MetalLB's speaker has taken for its own, and its label away, while both were at work. */
const isOurs = (object: ServiceL2Status): boolean =>
  metadataOf(object).labels[keys.leaseManagedBy] === keys.leaseManager ||
  metadataOf(object).name === nameOf(parseKey(serviceOf(object)), object.status?.node ?? "");

function serviceOf(object: ServiceL2Status): string {
  const { labels } = metadataOf(object);
  return `${labels[keys.l2StatusNamespace] ?? ""}/${labels[keys.l2StatusService] ?? ""}`;
}

/** The same for the same Service and node, so that the object is made once. */
function nameOf(service: ObjectKey, node: string): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([service.namespace, service.name, node]))
    .digest("hex");
  return `l2-${digest.slice(0, NAME_DIGITS)}`;
}

function says({ status = {} }: ServiceL2Status, { node, interfaces }: Status): boolean {
  const names = (list: Status["interfaces"]): string => (list ?? []).map(({ name }) => name).join();
  return status.node === node && names(status.interfaces) === names(interfaces);
}
