/** Who holds an address. */

/** A Service by name. */
export type ServiceName = { readonly namespace: string; readonly name: string };

/**
 * Who holds an address: a Service of Berth's, or something else, said in words for people ("ClusterIP of Service
 * \"default/web\"", "Node \"node-1\""). Exclusive so far; sharers will stand beside the Service.
 */
export type Holder = ServiceHolder | { readonly kind: "other"; readonly what: string };

/** A Service that holds an address for itself. */
export type ServiceHolder = { readonly kind: "service"; readonly namespace: string; readonly name: string };

/** The Service as a holder. */
export const serviceHolder = (service: ServiceName): ServiceHolder => ({
  kind: "service",
  namespace: service.namespace,
  name: service.name,
});

/** Whether the two are one holder. */
export function sameHolder(a: Holder, b: Holder): boolean {
  if (a.kind === "other") return b.kind === "other" && a.what === b.what;
  return b.kind === "service" && a.namespace === b.namespace && a.name === b.name;
}
