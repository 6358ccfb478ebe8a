/** Keeps the ledger in line with the caches. */
import type { Address } from "../core/address/address.ts";
import type { Cache, Change } from "./cache.ts";
import { printKey, type ApiObject, type IPAddress, type Node, type Service } from "./kinds.ts";
import type { Ledger, Said, Source } from "./ledger.ts";
import {
  ageKey,
  claimHolder,
  claimantsOf,
  claimedAddress,
  isOurClaim,
  nodeAddresses,
  pluginAddresses,
  podGateways,
  statusAddresses,
  statusHolder,
} from "./read.ts";

type AllSaid = readonly Said[];

/** The caches that say who holds an address. */
type Feeds = {
  readonly ledger: Ledger;
  readonly services: Cache<Service>;
  readonly claims: Cache<IPAddress>;
  readonly nodes: Cache<Node>;
};

/** Subscribes the ledger to the caches. */
export function feedLedger({ ledger, services, claims, nodes }: Feeds): void {
  follow(ledger, "claim", claims, saidByClaim);
  follow(ledger, "status", services, saidByStatus);
  follow(ledger, "node", nodes, saidByNode);
  // A claim that has arrived needs no reservation beside it.
  claims.subscribe(({ after }) => {
    if (after === undefined || !isOurClaim(after)) return;
    const address = claimedAddress(after);
    if (address === undefined) return;
    for (const service of claimantsOf(after)) ledger.unreserve(address, service);
  });
}

function follow<T extends ApiObject>(
  ledger: Ledger,
  source: Source,
  cache: Cache<T>,
  said: (object: T) => AllSaid,
): void {
  cache.subscribe(({ key, before, after }: Change<T>) => {
    const by = printKey(key);
    for (const { address } of before === undefined ? [] : said(before)) ledger.strike(source, by, address);
    for (const note of after === undefined ? [] : said(after)) ledger.note(source, by, note);
  });
}

function saidByClaim(claim: IPAddress): AllSaid {
  const address = claimedAddress(claim);
  return address === undefined ? [] : [{ address, holder: claimHolder(claim) }];
}

/** Addresses that stand in a status without a claim: given by whatever was there before Berth. The oldest Service has them. */
function saidByStatus(service: Service): AllSaid {
  if (service.spec?.type !== "LoadBalancer") return [];
  const [holder, rank] = [statusHolder(service), ageKey(service)];
  return statusAddresses(service).map((address) => ({ address, holder, rank }));
}

function saidByNode(node: Node): AllSaid {
  const name = `Node "${node.metadata?.name ?? ""}"`;
  const say = (addresses: readonly Address[], what: string): AllSaid =>
    addresses.map((address) => ({ address, holder: { kind: "other", what } }));
  return [
    ...say(nodeAddresses(node), name),
    ...say(pluginAddresses(node), name),
    ...say(podGateways(node), `${name} as the gateway of its pods`),
  ];
}
