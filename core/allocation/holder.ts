/** Who holds an address. */
import type { SharingTerms } from "./terms.ts";

/** A Service by name. */
export type ServiceName = { readonly namespace: string; readonly name: string };

/**
 * Who holds an address: one Service of Berth's for itself, several that share it, or something else, said in words for
 * people ("Service \"default/web\" as its ClusterIP", "Node \"node-1\"").
 */
export type Holder = ServiceHolder | SharedHolder | OtherHolder;

/**
 * What holds an address and is no Service of Berth's. `isDisputable` where a Service that had the address before Berth stays with
 * it all the same and is told: what a Node or a ClusterIP has can't work for anybody else.
 */
export type OtherHolder = { readonly kind: "other"; readonly what: string; readonly isDisputable?: true };

/** A Service that holds an address for itself; `isResting` once it has given it up and a cool-down keeps it for it. */
export type ServiceHolder = ServiceName & { readonly kind: "service"; readonly isResting?: true };

/** Services that share an address, or one that others may join; never empty. */
export type SharedHolder = { readonly kind: "shared"; readonly sharers: readonly Sharer[] };

/**
 * One of the Services on a shared address, with every set of terms that newcomers must agree with: its own, and during
 * an update those before and after it. `turn` is another number each time that it takes the address up.
 */
export type Sharer = ServiceName & { readonly terms: readonly SharingTerms[]; readonly turn?: number };

/** The Service as a holder. */
export const serviceHolder = ({ namespace, name }: ServiceName): ServiceHolder => ({
  kind: "service",
  namespace,
  name,
});

/** Whether the two are one Service. */
export const sameService = (a: ServiceName, b: ServiceName): boolean =>
  a.namespace === b.namespace && a.name === b.name;

/** The Services that hold the address; none where something else does. */
export function servicesOf(holder: Holder): readonly ServiceName[] {
  switch (holder.kind) {
    case "service":
      return [holder];
    case "shared":
      return holder.sharers;
    case "other":
      return [];
  }
}

/** Whether the Service holds the address, for itself or with others. */
export const isHeldBy = (holder: Holder, service: ServiceName): boolean =>
  servicesOf(holder).some((one) => sameService(one, service));

/** Whether the two are one holder, on the same terms. */
export function sameHolder(a: Holder, b: Holder): boolean {
  if (a.kind === "other" || b.kind === "other") return a.kind === "other" && b.kind === "other" && a.what === b.what;
  if (a.kind === "service" && b.kind === "service") return sameService(a, b) && a.isResting === b.isResting;
  return a.kind === b.kind && JSON.stringify(a) === JSON.stringify(b);
}
