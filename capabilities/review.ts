/** Validate: admits a Service or refuses it in one sentence, rule by rule. Writes nothing. */
import type { a, PeprValidateRequest } from "pepr";
import { preview, type ServiceRefusal } from "../cluster/claims.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { kinds, type IPAddress, type Service } from "../cluster/kinds.ts";
import { log } from "../cluster/log.ts";
import { annotatedAddresses, claimHolder, isOurs, serviceNameOf } from "../cluster/read.ts";
import { printAddress, type Address } from "../core/address/address.ts";
import { sameHolder, serviceHolder } from "../core/allocation/holder.ts";
import { isPending } from "../core/allocation/refusal.ts";
import { explain, explainNote } from "../core/explain.ts";
import { keys } from "../core/keys.ts";
import type { Answer } from "./guard.ts";

type Request = PeprValidateRequest<a.Service>;

/** The answer to a request that creates or changes a Service, after Mutate. */
export async function review(request: Request, cluster: Cluster): Promise<Answer> {
  const service = request.Raw;
  if (!isOurs(service) || service.metadata?.deletionTimestamp !== undefined) return request.Approve();
  try {
    const foreign = await findForeign(service, cluster);
    if (foreign !== undefined) return request.Deny(explainNote({ kind: "foreignAddress", ...foreign }));
  } catch (err) {
    log.error({ err, ...serviceNameOf(service) }, "claims not checked, left to the watcher");
  }
  const choice = preview(service, cluster);
  if (choice.ok) return request.Approve(warnings(request));
  return answerRefusal(request, choice.error, cluster);
}

function answerRefusal(request: Request, refusal: ServiceRefusal, cluster: Cluster): Answer {
  const message = explain(refusal);
  if (isPending(refusal) || wasRefusedBefore(request, message, cluster)) {
    return request.Approve([message]);
  }
  return request.Deny(message);
}

/** Whether the stored Service has the same fault already: then this change is not about it and must not be held up. */
function wasRefusedBefore(request: Request, message: string, cluster: Cluster): boolean {
  const before: Service | undefined = request.OldResource;
  // The API server sends null on create, whatever the type says.
  if (!before || !isOurs(before)) return false;
  const choice = preview(before, cluster);
  return !choice.ok && explain(choice.error) === message;
}

/** An address in the annotation that is not claimed for this Service: something after Mutate changed it. */
async function findForeign(
  service: Service,
  cluster: Cluster,
): Promise<{ readonly service: ReturnType<typeof serviceNameOf>; readonly address: Address } | undefined> {
  const name = serviceNameOf(service);
  for (const address of annotatedAddresses(service) ?? []) {
    const holder = cluster.ledger.occupancy.holderOf(address);
    if (holder !== undefined && sameHolder(holder, serviceHolder(name))) continue;
    const claim = await liveClaim(address, cluster);
    // Without a claim it is a dry run's preview, or a claim that the watcher is about to make good.
    if (claim !== undefined && !sameHolder(claimHolder(claim), serviceHolder(name))) return { service: name, address };
  }
  return undefined;
}

async function liveClaim(address: Address, cluster: Cluster): Promise<IPAddress | undefined> {
  const claim = await cluster.api.get(kinds.claims, { name: printAddress(address) });
  if (claim !== undefined) cluster.claims.accept(claim);
  return claim;
}

/** What is worth a word although the Service is admitted. */
function warnings({ Raw, OldResource }: Request): string[] {
  const service = serviceNameOf(Raw);
  const isDefaulted = (Raw.spec?.ports ?? []).some(({ name }) => name === keys.defaultPort);
  return [
    ...(isDefaulted && !OldResource ? [explainNote({ kind: "defaultPort", service })] : []),
    ...(annotatedAddresses(Raw) === undefined ? [explainNote({ kind: "notYet", service })] : []),
  ];
}
