/** Where the usable endpoints of a Service are, from its EndpointSlices. */

/** What core reads of a discovery.k8s.io/v1 EndpointSlice. */
export type EndpointSliceInput = {
  readonly endpoints?: readonly EndpointInput[] | undefined;
};

/** One endpoint of a slice. */
export type EndpointInput = {
  readonly nodeName?: string | undefined;
  readonly conditions?: { readonly ready?: boolean | undefined; readonly serving?: boolean | undefined } | undefined;
};

/** The nodes that have a usable endpoint, sorted, and whether there is one of which no node is known. */
export type EndpointSummary = { readonly nodes: readonly string[]; readonly anywhere: boolean };

/** Where the usable endpoints are: those ready, or not known not to be, or else still serving. */
export function summarizeEndpoints(slices: readonly EndpointSliceInput[]): EndpointSummary {
  const usable = slices.flatMap((slice) => slice.endpoints ?? []).filter(isUsable);
  const nodes = usable.flatMap(({ nodeName }) => (nodeName === undefined || nodeName === "" ? [] : [nodeName]));
  return { nodes: [...new Set(nodes)].toSorted(), anywhere: nodes.length < usable.length };
}

const isUsable = ({ conditions }: EndpointInput): boolean =>
  (conditions?.ready ?? true) || (conditions?.serving ?? false);
