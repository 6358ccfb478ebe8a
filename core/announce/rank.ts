/** MetalLB's order of nodes for an address, which both languages must compute alike. */
import { createHash } from "node:crypto";

/** The nodes by ascending bytes of SHA-256(node + "#" + address), the address in canonical text; the first one speaks. */
export function rankNodes(address: string, nodes: readonly string[]): readonly string[] {
  return nodes
    .map((node) => ({ node, digest: createHash("sha256").update(`${node}#${address}`).digest() }))
    .toSorted((a, b) => a.digest.compare(b.digest))
    .map(({ node }) => node);
}
