/** The EndpointSlices of each Service. */
import type { Cache } from "./cache.ts";
import { metadataOf, printKey, type EndpointSlice } from "./kinds.ts";

/** Label by which an EndpointSlice names its Service. */
const SERVICE_NAME = "kubernetes.io/service-name";

/** Called for each Service whose slices change, until the signal. */
export type Telling = { readonly tell: (service: string) => void; readonly term: AbortSignal };

/** Follows the cache until the signal. */
export class SlicesByService {
  readonly #slices = new Map<string, Map<string, EndpointSlice>>();

  constructor(cache: Cache<EndpointSlice>, { tell, term }: Telling) {
    for (const slice of cache.values()) this.#join(slice);
    cache.subscribe(({ before, after }) => {
      if (before !== undefined) this.#leave(before);
      if (after !== undefined) this.#join(after);
      const services = new Set([before, after].flatMap((slice) => (slice === undefined ? [] : [serviceOf(slice)])));
      for (const service of services) tell(service);
    }, term);
  }

  /** The slices of a Service, namespace/name. */
  of(service: string): readonly EndpointSlice[] {
    return [...(this.#slices.get(service)?.values() ?? [])];
  }

  #join(slice: EndpointSlice): void {
    const service = serviceOf(slice);
    const slices = this.#slices.get(service) ?? new Map<string, EndpointSlice>();
    this.#slices.set(service, slices.set(metadataOf(slice).name, slice));
  }

  #leave(slice: EndpointSlice): void {
    const service = serviceOf(slice);
    const slices = this.#slices.get(service);
    slices?.delete(metadataOf(slice).name);
    if (slices?.size === 0) this.#slices.delete(service);
  }
}

function serviceOf(slice: EndpointSlice): string {
  const { namespace, labels } = metadataOf(slice);
  return printKey({ namespace, name: labels[SERVICE_NAME] ?? "" });
}
