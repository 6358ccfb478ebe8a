/** Validate: admits a Service or refuses it in one sentence, rule by rule. Writes nothing. */
import type { a, PeprValidateRequest } from "pepr";
import { preview, type ServiceRefusal } from "../cluster/claims.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { kinds, type IPAddress, type Service } from "../cluster/kinds.ts";
import { log } from "../cluster/log.ts";
import {
  annotatedAddresses,
  asksForAddress,
  claimHolder,
  isDamaged,
  isOurs,
  listedAddresses,
  serviceNameOf,
} from "../cluster/read.ts";
import { printAddress, sameAddress, type Address } from "../core/address/address.ts";
import { isHeldBy, servicesOf } from "../core/allocation/holder.ts";
import { explain, explainNote, type AdmissionNote } from "../core/explain.ts";
import { keys } from "../core/keys.ts";
import { chooseSurely, findDenial, storedOf, type Change } from "./denial.ts";
import type { Answer } from "./guard.ts";

type Request = PeprValidateRequest<a.Service>;

/** The answer to a request that creates or changes a Service, after Mutate. */
export async function review(request: Request, cluster: Cluster): Promise<Answer> {
  const service = request.Raw;
  const isWatcher = request.Request.userInfo.username === keys.operatorUser;
  if (isWatcher || !isOurs(service) || service.metadata?.deletionTimestamp !== undefined) return request.Approve();
  try {
    const foreign = await findForeign(service, cluster);
    if (foreign !== undefined) return request.Deny(explainNote({ kind: "foreignAddress", ...foreign }));
  } catch (err) {
    log.error({ err, ...serviceNameOf(service) }, "claims not checked, left to the watcher");
  }
  const choice = await chooseSurely(changeOf(request), cluster, () => preview(service, cluster));
  if (!choice.ok) return answerRefusal(request, choice.error, cluster);
  const isUnwritten = annotatedAddresses(service) === undefined;
  const notYet = isUnwritten ? [explainNote({ kind: "notYet", service: serviceNameOf(service) })] : [];
  return request.Approve([...warnings(request, cluster), ...notYet]);
}

const changeOf = (request: Request): Change => ({ wanted: request.Raw, stored: storedOf(request) });

function answerRefusal(request: Request, refusal: ServiceRefusal, cluster: Cluster): Answer {
  const denial = findDenial(changeOf(request), refusal, cluster);
  return denial === undefined
    ? request.Approve([explain(refusal), ...warnings(request, cluster)])
    : request.Deny(denial.message);
}

/** An address in the annotation that is not claimed for this Service: something after Mutate changed it. */
async function findForeign(
  service: Service,
  cluster: Cluster,
): Promise<{ readonly service: ReturnType<typeof serviceNameOf>; readonly address: Address } | undefined> {
  const name = serviceNameOf(service);
  for (const address of annotatedAddresses(service) ?? []) {
    const holder = cluster.ledger.occupancy.holderOf(address);
    if (holder !== undefined && isHeldBy(holder, name)) continue;
    const claim = await liveClaim(address, cluster);
    // Without a claim it is a dry run's preview, or a claim that the watcher is about to make good, or to mend.
    if (claim === undefined || isDamaged(claim)) continue;
    if (!isHeldBy(claimHolder(claim), name)) return { service: name, address };
  }
  return undefined;
}

async function liveClaim(address: Address, cluster: Cluster): Promise<IPAddress | undefined> {
  const claim = await cluster.api.get(kinds.claims, { name: printAddress(address) });
  if (claim !== undefined) cluster.claims.accept(claim);
  return claim;
}

/** What is worth a word although the Service is admitted. */
function warnings(request: Request, cluster: Cluster): string[] {
  const { Raw, OldResource } = request;
  const service = serviceNameOf(Raw);
  const isDefaulted = (Raw.spec?.ports ?? []).some(({ name }) => name === keys.defaultPort);
  const oldNames = OldResource ? [] : oldPrefixNames(Raw);
  const notes: readonly AdmissionNote[] = [
    ...(isDefaulted && !OldResource ? [{ kind: "defaultPort", service } as const] : []),
    ...(oldNames.length > 0 ? [{ kind: "oldPrefix", service, names: oldNames } as const] : []),
    ...moves(request),
    ...crossings(Raw, cluster),
  ];
  return notes.map(explainNote);
}

const oldPrefixNames = ({ metadata }: Service): readonly string[] =>
  Object.keys(metadata?.annotations ?? {}).filter((name) => name.startsWith(keys.deprecatedPrefix));

/** A change that a person may not have meant to make: the Service is reachable elsewhere from now on. */
function moves({ Raw, OldResource }: Request): readonly AdmissionNote[] {
  const before: Service | undefined = OldResource;
  const to = annotatedAddresses(Raw) ?? [];
  if (!before || !isOurs(before) || to.length === 0) return [];
  const from = listedAddresses(before);
  const isKept = from.some((address) => to.some((one) => sameAddress(one, address)));
  return from.length === 0 || isKept || asksForAddress(Raw)
    ? []
    : [{ kind: "moved", service: serviceNameOf(Raw), from, to }];
}

/** Sharing with another namespace that the pool does not allow goes on where it went on before. */
function crossings(service: Service, cluster: Cluster): readonly AdmissionNote[] {
  const name = serviceNameOf(service);
  return (annotatedAddresses(service) ?? []).flatMap((address) => {
    const pool = cluster.poolOf(address);
    const holder = cluster.ledger.occupancy.holderOf(address);
    const sharers = holder === undefined ? [] : servicesOf(holder);
    const crosses = sharers.some(({ namespace }) => namespace !== name.namespace);
    if (pool === undefined || pool.sharesAcrossNamespaces || !crosses) return [];
    return [{ kind: "sharesAcrossNamespaces", service: name, address, pool: pool.key } as const];
  });
}
