/**
 * The plan of every node, kept up to date: changes go in, {@link Planner.update} works out what they touch. What is
 * remembered of an address stands in the plans too, so that a planner that begins anew with them goes on alike.
 */
import { compareAddresses, type Address } from "../address/address.ts";
import type { Advertisement } from "./advertisement.ts";
import { judgeNodes, matchingAdvertisements, type Judgement } from "./eligibility.ts";
import { Groups, leadOf, type Member } from "./groups.ts";
import { announcedIps, keepLinked, keepLocal, placedOf, vipFor, whyNotAnnounced } from "./placement.ts";
import type { Placement, Sharing, Verdict } from "./placement.ts";
import type { AnnouncedPool, AnnouncedService, NodePlan, Placed, PlanNode, Vip } from "./plan-types.ts";
import type { AnnouncerStatus, Plan } from "./plan-text.ts";
import { HashOrder } from "./rank.ts";
import { Reports, type Answer } from "./reports.ts";
import { sameEntry, sameLinks, sameNode, samePool, type Entry } from "./same.ts";
import { seatNodes, type Seat } from "./seat.ts";
import { WrittenPlans } from "./written.ts";

/** What an update touched: nodes whose plan has changed or that are gone, and Services of which something may be new. */
export type Touched = { readonly nodes: ReadonlySet<string>; readonly services: ReadonlySet<string> };

const NO_JUDGEMENT: Judgement = { candidates: new Map<string, never>(), tiers: [], refused: [] };

/** Plans for one cluster. Services go by namespace/name. */
export class Planner {
  readonly #groups = new Groups();
  readonly #nodes = new Map<string, PlanNode>();
  readonly #pools = new Map<string, AnnouncedPool>();
  readonly #advertisements = new Map<string, Advertisement>();
  readonly #reports = new Reports();
  readonly #hashes = new HashOrder();
  readonly #written = new WrittenPlans();
  readonly #seats = new Map<string, Seat>();
  readonly #placements = new Map<string, Placement>();
  readonly #plans = new Map<string, Map<string, Entry>>();
  readonly #judgements = new Map<string, Judgement>();
  readonly #dirty = new Set<string>();
  /** Nodes that are new or gone since the last update. */
  readonly #comings = new Set<string>();
  readonly #ignoreExcludeLabel: boolean;
  #round = 0;

  constructor({ ignoreExcludeLabel = false }: { readonly ignoreExcludeLabel?: boolean } = {}) {
    this.#ignoreExcludeLabel = ignoreExcludeLabel;
  }

  /** Takes in a Service, or that it has gone or holds no address. */
  setService(key: string, service: AnnouncedService | undefined): void {
    if (service === undefined && this.#groups.get(key) === undefined) return;
    this.#groups.set(key, service);
    this.#dirty.add(key);
  }

  /** Takes in a node, or that it has gone. */
  setNode(name: string, node: PlanNode | undefined): void {
    const before = this.#nodes.get(name);
    if (sameNode(before, node)) return;
    if (node === undefined) {
      this.#nodes.delete(name);
      this.#plans.delete(name);
      this.#hashes.forgetNode(name);
    } else {
      this.#nodes.set(name, node);
      if (before === undefined) this.#plans.set(name, new Map());
    }
    if (before === undefined || node === undefined) this.#comings.add(name);
    this.#judgeAnew();
  }

  /** Takes in all pools; Services of those that are new, gone or different are planned anew. */
  setPools(pools: readonly AnnouncedPool[]): void {
    const changed = new Set<string>();
    const after = new Map(pools.map((pool) => [pool.key, pool]));
    for (const key of new Set([...this.#pools.keys(), ...after.keys()])) {
      const [before, now] = [this.#pools.get(key), after.get(key)];
      if (!samePool(before, now)) changed.add(key);
      if (now === undefined) this.#pools.delete(key);
      else this.#pools.set(key, now);
    }
    if (changed.size === 0) return;
    for (const key of this.#groups.keys()) {
      if (changed.has(this.#groups.get(key)?.service.pool ?? "")) this.#dirty.add(key);
    }
  }

  /** Takes in an advertisement, or that it has gone or is unsound. */
  setAdvertisement(key: string, advertisement: Advertisement | undefined): void {
    if (advertisement === undefined && !this.#advertisements.has(key)) return;
    if (advertisement === undefined) this.#advertisements.delete(key);
    else this.#advertisements.set(key, advertisement);
    this.#judgeAnew();
  }

  #judgeAnew(): void {
    this.#judgements.clear();
    for (const key of this.#groups.keys()) this.#dirty.add(key);
  }

  /** Takes in what a node's announcer reports; undefined where it is not running. */
  setReport(node: string, status: AnnouncerStatus | undefined): void {
    const links = this.#reports.interfacesOf(node);
    if (!sameLinks(links, status?.interfaces) && this.#namesInterfaces()) {
      for (const key of this.#groups.keys()) this.#dirty.add(key);
    }
    for (const ip of this.#reports.set(node, status, this.#round)) {
      for (const key of this.#groups.sharersOf(ip)) this.#dirty.add(key);
    }
  }

  #namesInterfaces(): boolean {
    return [...this.#advertisements.values()].some(({ interfaces }) => interfaces.length > 0);
  }

  /** Takes in what one Lease of a node said before this planner began; to be called before the first update, in any order. */
  remember(node: string, plan: Plan): void {
    this.#written.add(node, plan);
  }

  /** Works out what the changes since the last update touch. */
  update(): Touched {
    const { gone, made, services } = this.#replan();
    const nodes = new Set(this.#comings);
    this.#comings.clear();
    this.#dirty.clear();
    this.#written.clear();
    this.#round += 1;
    this.#rewrite(gone, made, nodes);
    return { nodes, services };
  }

  #replan(): { gone: ReadonlySet<Placement>; made: readonly Placement[]; services: ReadonlySet<string> } {
    const services = new Set(this.#dirty);
    const gone = new Set<Placement>();
    const made: Placement[] = [];
    const done = new Set<string>();
    for (const key of services) {
      const before = this.#placements.get(key);
      if (before !== undefined) gone.add(before);
      for (const member of before?.members ?? []) services.add(member.key);
      if (done.has(key)) continue;
      const members = this.#groups.around(key);
      for (const member of members) {
        services.add(member.key);
        done.add(member.key);
      }
      if (members.length > 0) made.push(this.#place(members));
    }
    return { gone, made, services };
  }

  #place(members: readonly Member[]): Placement {
    const lead = leadOf(members);
    const pool = members[0]?.service.pool ?? "";
    const wishes = new Map(members.map((member) => [member, this.#matching(member)]));
    const sharing = { members, wishes };
    const refusal = whyNotAnnounced(sharing);
    const judgement = refusal === undefined ? this.#judge(members, sharing) : NO_JUDGEMENT;
    return { members, lead, pool, judgement, verdict: refusal ?? this.#seat(members, { lead, pool, judgement }) };
  }

  #judge(members: readonly Member[], sharing: Sharing): Judgement {
    return keepLinked(keepLocal(members, this.#judgementOf(sharing)), (node) => this.#reports.interfacesOf(node));
  }

  #matching({ service }: Member): readonly Advertisement[] {
    const pool = this.#pools.get(service.pool) ?? missingPool(service.pool);
    return matchingAdvertisements(service, pool, [...this.#advertisements.values()]);
  }

  /** Services that the same advertisements take in share one judgement. */
  #judgementOf({ wishes }: Sharing): Judgement {
    const distinct = new Map(
      [...wishes.values()].map((wish) => [JSON.stringify(wish.map(({ key }) => key).toSorted()), wish]),
    );
    const key = [...distinct.keys()].toSorted().join();
    const known = this.#judgements.get(key);
    if (known !== undefined) return known;
    const nodes = [...this.#nodes.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const judgement = judgeNodes([...distinct.values()], nodes, this.#ignoreExcludeLabel);
    this.#judgements.set(key, judgement);
    return judgement;
  }

  #seat(members: readonly Member[], on: Pick<Placement, "lead" | "pool" | "judgement">): Verdict {
    const { lead, pool, judgement } = on;
    const rebalance = this.#pools.get(pool)?.rebalance;
    const ips = [lead, ...members.flatMap((member) => member.ips)];
    const [seat] = ips.flatMap((ip) => this.#seats.get(ip) ?? this.#written.seatOf(ip, pool, rebalance) ?? []);
    const [answered = lead] = ips.filter((ip) => this.#reports.answersFor(ip).size > 0);
    const answers = this.#reports.answersFor(answered);
    const seated = seatNodes(judgement, { seat, answers, rebalance, lead, hashes: this.#hashes });
    if (seated === undefined) return { isAnnounced: false, reason: "noEligibleNode" };
    const interfaces = new Map(seated.nodes.map((node) => [node, judgement.candidates.get(node)?.interfaces]));
    return { isAnnounced: true, seated, interfaces };
  }

  #rewrite(gone: ReadonlySet<Placement>, made: readonly Placement[], nodes: Set<string>): void {
    for (const placement of gone) for (const { key } of placement.members) this.#placements.delete(key);
    const before = byIp(gone);
    const after = byIp(made);
    for (const placement of made) for (const { key } of placement.members) this.#placements.set(key, placement);
    for (const ip of new Set([...before.keys(), ...after.keys()])) {
      this.#rewriteAddress(ip, before.get(ip), after.get(ip), nodes);
    }
    const leads = new Set(made.map(({ lead }) => lead));
    for (const { lead } of gone) if (!leads.has(lead)) this.#hashes.forgetAddress(lead);
  }

  #rewriteAddress(ip: string, before: Placement | undefined, after: Placement | undefined, nodes: Set<string>): void {
    if (after?.verdict.isAnnounced === true) this.#seats.set(ip, after.verdict.seated.seat);
    else this.#seats.delete(ip);
    for (const node of new Set([...nodesOf(before), ...nodesOf(after)])) {
      const plan = this.#plans.get(node);
      const entry = after === undefined ? undefined : entryFor(after, ip, node);
      if (plan === undefined || sameEntry(plan.get(ip), entry)) continue;
      if (entry === undefined) plan.delete(ip);
      else plan.set(ip, entry);
      nodes.add(node);
    }
  }

  /** What a node's Leases are to say, addresses in order; undefined where there is no such node. */
  planOf(node: string): NodePlan | undefined {
    const plan = this.#plans.get(node);
    if (plan === undefined) return undefined;
    const entries = [...plan.values()];
    const rebalanced = entries.flatMap(({ pool, rebalanced: value }): [string, string][] =>
      value === undefined ? [] : [[pool, value]],
    );
    return {
      vips: this.#inOrder(entries),
      rebalanced: Object.fromEntries(rebalanced.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  #inOrder(entries: readonly Entry[]): readonly Vip[] {
    const vips = entries.flatMap(({ vip }): (readonly [Address, Vip])[] => {
      const address = this.#groups.addressOf(vip.ip);
      return address === undefined ? [] : [[address, vip]];
    });
    return vips.toSorted(([a], [b]) => compareAddresses(a, b)).map(([, vip]) => vip);
  }

  /** What became of each address of a Service, in its order; none where it is not known. */
  placed(service: string): readonly Placed[] {
    const [placement, member] = [this.#placements.get(service), this.#groups.get(service)];
    return placement === undefined || member === undefined ? [] : placedOf(placement, member);
  }

  /** The nodes that answer for an address, as far as they say so. */
  answersFor(ip: string): ReadonlyMap<string, Answer> {
    return this.#reports.answersFor(ip);
  }

  /** Why a node does not answer for an address, in its announcer's own word. */
  silenceOf(ip: string, node: string): string | undefined {
    return this.#reports.silenceOf(ip, node);
  }

  /** A node as it was taken in. */
  node(name: string): PlanNode | undefined {
    return this.#nodes.get(name);
  }
}

/** A pool that is gone or inert still announces what it gave, by name or by advertisements of everything. */
const missingPool = (key: string): AnnouncedPool => ({ key, name: key.slice(key.indexOf("/") + 1), labels: {} });

/** The placements by the addresses that they announce. */
const byIp = (placements: Iterable<Placement>): ReadonlyMap<string, Placement> => {
  const found = new Map<string, Placement>();
  for (const placement of placements) for (const ip of announcedIps(placement)) found.set(ip, placement);
  return found;
};

const nodesOf = (placement: Placement | undefined): readonly string[] =>
  placement?.verdict.isAnnounced === true ? placement.verdict.seated.nodes : [];

function entryFor(placement: Placement, ip: string, node: string): Entry | undefined {
  const vip = vipFor(placement, ip, node);
  if (vip === undefined || !placement.verdict.isAnnounced) return undefined;
  return { vip, pool: placement.pool, rebalanced: placement.verdict.seated.seat.rebalanced };
}
