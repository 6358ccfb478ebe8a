/** One decision for Services that share addresses: which nodes may announce them, in which order, or why none may. */
import type { Advertisement } from "./advertisement.ts";
import type { Judgement } from "./eligibility.ts";
import type { Member } from "./groups.ts";
import type { AnnouncedService, NodeRefusal, NotAnnounced, Placed, Vip } from "./plan-types.ts";
import type { Seated } from "./seat.ts";

/** What was decided for a group of Services. */
export type Placement = {
  readonly members: readonly Member[];
  /** The address whose hash orders the nodes. */
  readonly lead: string;
  /** The pool that the rebalancing is read from. */
  readonly pool: string;
  readonly judgement: Judgement;
  readonly verdict: Verdict;
};

/** Who announces, or why nobody does. */
export type Verdict =
  | { readonly isAnnounced: true; readonly seated: Seated; readonly interfaces: ReadonlyMap<string, Interfaces> }
  | { readonly isAnnounced: false; readonly reason: NotAnnounced["reason"]; readonly sharer?: Member | undefined };

type Interfaces = readonly string[] | undefined;

/** A group, and for each of its Services the advertisements that take it in. */
export type Sharing = {
  readonly members: readonly Member[];
  readonly wishes: ReadonlyMap<Member, readonly Advertisement[]>;
};

/** Why nobody announces the group, whatever the nodes are. */
export function whyNotAnnounced({ members, wishes }: Sharing): Verdict | undefined {
  if (!members.some(({ service }) => hasEndpoint(service))) return { isAnnounced: false, reason: "noEndpoints" };
  const sharer = members.find((member) => (wishes.get(member)?.length ?? 0) === 0);
  if (sharer === undefined) return undefined;
  const isAlone = members.every((member) => (wishes.get(member)?.length ?? 0) === 0);
  return isAlone
    ? { isAnnounced: false, reason: "noMatchingAdvertisement" }
    : { isAnnounced: false, reason: "sharerNotAdvertised", sharer };
}

const hasEndpoint = ({ endpoints }: AnnouncedService): boolean => endpoints.anywhere || endpoints.nodes.length > 0;

/** The judgement without the nodes that lack an endpoint of a Service whose traffic must stay on its node. */
export function keepLocal(members: readonly Member[], judgement: Judgement): Judgement {
  const local = members
    .map(({ service }) => service)
    .filter((service) => service.externalTrafficPolicy === "Local" && hasEndpoint(service))
    .filter(({ endpoints }) => !endpoints.anywhere)
    .map(({ endpoints }) => new Set(endpoints.nodes));
  if (local.length === 0) return judgement;
  const forAll = keepNodes(judgement, (node) => local.every((nodes) => nodes.has(node)));
  // Sharers whose pods are nowhere together: some traffic arrives is better than none.
  return forAll.candidates.size > 0 ? forAll : keepNodes(judgement, (node) => local.some((nodes) => nodes.has(node)));
}

/** The interfaces that a node's announcer says it could answer on; undefined where it does not say. */
export type LinksOf = (node: string) => ReadonlySet<string> | undefined;

/**
 * The judgement without the nodes that have none of the interfaces on which they may announce: they would take the places of
 * those that have. The same where no node has one, so that each of them says what it lacks.
 */
export function keepLinked(judgement: Judgement, linksOf: LinksOf): Judgement {
  const lacking = new Set<string>();
  for (const [node, { interfaces }] of judgement.candidates) {
    const links = interfaces === undefined ? undefined : linksOf(node);
    if (links !== undefined && interfaces?.some((name) => links.has(name)) === false) lacking.add(node);
  }
  if (lacking.size === 0 || lacking.size === judgement.candidates.size) return judgement;
  return { ...judgement, ...onlyNodes(judgement, (node) => !lacking.has(node)) };
}

function keepNodes(judgement: Judgement, mayStay: (node: string) => boolean): Judgement {
  const { candidates, refused } = judgement;
  const gone = [...candidates.keys()].filter((node) => !mayStay(node));
  return {
    ...onlyNodes(judgement, mayStay),
    refused: [...refused, ...gone.map((node): NodeRefusal => ({ node, reason: "noLocalEndpoint" }))].toSorted(byNode),
  };
}

const onlyNodes = (
  { candidates, tiers }: Judgement,
  mayStay: (node: string) => boolean,
): Pick<Judgement, "candidates" | "tiers"> => ({
  candidates: new Map([...candidates].filter(([node]) => mayStay(node))),
  tiers: tiers.map((tier) => tier.filter(mayStay)).filter(({ length }) => length > 0),
});

const byNode = (a: NodeRefusal, b: NodeRefusal): number => (a.node < b.node ? -1 : 1);

/** The group's addresses that are announced: those of which a Service has an endpoint. */
export function announcedIps({ members, verdict }: Placement): ReadonlySet<string> {
  if (!verdict.isAnnounced) return new Set();
  return new Set(members.flatMap(({ service, ips }) => (hasEndpoint(service) ? ips : [])));
}

/** What one node's plan says of one address; undefined where the node is no candidate. */
export function vipFor({ verdict }: Placement, ip: string, node: string): Vip | undefined {
  if (!verdict.isAnnounced || !verdict.interfaces.has(node)) return undefined;
  const { nodes, seat } = verdict.seated;
  const interfaces = verdict.interfaces.get(node);
  return { ip, nodes, ...(interfaces === undefined ? {} : { interfaces }), ...(seat.isMoving ? { moving: true } : {}) };
}

/** What became of each address of one of the group's Services. */
export function placedOf(placement: Placement, { service, ips }: Member): readonly Placed[] {
  const announced = announcedIps(placement);
  const { verdict } = placement;
  return ips.map((ip) =>
    verdict.isAnnounced && announced.has(ip)
      ? { isAnnounced: true, ip, nodes: verdict.seated.nodes }
      : { isAnnounced: false, ip, problem: problemOf(placement, service, ip) },
  );
}

function problemOf({ verdict, judgement }: Placement, service: AnnouncedService, ip: string): NotAnnounced {
  const { namespace, name, pool } = service;
  const common = { service: { namespace, name }, ip, pool };
  if (verdict.isAnnounced) return { ...common, reason: "noEndpoints", nodes: [] };
  const { reason, sharer } = verdict;
  if (sharer === undefined) return { ...common, reason, nodes: reason === "noEligibleNode" ? judgement.refused : [] };
  if (sharer.service === service) return { ...common, reason: "noMatchingAdvertisement", nodes: [] };
  const other = { namespace: sharer.service.namespace, name: sharer.service.name };
  return { ...common, reason, nodes: [], sharer: other };
}
