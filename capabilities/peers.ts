/** The kinds of BGP: kept as they are written, and whoever writes one is told that nothing comes of it yet. Refuses nothing. */
import { a, Capability, type PeprValidateRequest } from "pepr";
import { bgpKinds, keyOf, printKey } from "../cluster/kinds.ts";
import { explain } from "../core/explain.ts";
import { bgpTypes, type BgpType } from "../core/explain/bgp.ts";
import type { Answer } from "./guard.ts";
import type { Part } from "./part.ts";

/** The capability. */
export function peers(): Part {
  const capability = new Capability({ name: "peers", description: "Says that BGP is not spoken yet." });
  for (const type of bgpTypes) {
    capability
      .When(a.GenericKind, bgpKinds[type])
      .IsCreatedOrUpdated()
      .Validate((request) => tell(type, request));
  }
  return { capability, lead: () => Promise.resolve() };
}

const tell = (type: BgpType, request: PeprValidateRequest<a.GenericKind>): Answer =>
  request.Approve([explain({ kind: "bgpUnspoken", type, object: printKey(keyOf(request.Raw)) })]);
