/**
 * The Secret with what the webhooks are served with: made, kept and renewed. It is Berth's own and stays over deploys, since
 * Pepr makes a new certificate and a new path with each of them, and renews none.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { dueIn, renewed, servingOf, type Data, type Serving } from "./certificates.ts";
import { isConflict } from "./errors.ts";
import { apiVersionOf, kinds, metadataOf, type Secret } from "./kinds.ts";
import type { Lead } from "./leadership.ts";
import { log } from "./log.ts";
import { Queue } from "./queue.ts";

/** How often the leader looks whether something is to be renewed, in milliseconds. */
const LOOK_MILLIS = 60_000;
/** How often each process looks whether something was, in milliseconds. */
const FOLLOW_MILLIS = 15_000;

const secret = { namespace: keys.operatorNamespace, name: keys.servingSecret };

/** What the webhooks are served with; undefined while there is nothing. */
export async function readServing(api: Api): Promise<Serving | undefined> {
  return servingOf(decoded(await api.get(kinds.secrets, secret)));
}

/** What to serve with under this name in the DNS. Makes what is missing, or renews one thing that is due. */
export async function settleServing(api: Api, host: string): Promise<Serving> {
  for (;;) {
    const found = await api.get(kinds.secrets, secret);
    const data = decoded(found);
    const due = dueIn(data, host, Date.now());
    const next = renewed(data, due, host, Date.now());
    const serving = servingOf(next);
    if (serving === undefined)
      throw new Error(`Secret "${secret.name}" in ${secret.namespace} has nothing to serve with`);
    if (due === "nothing") return serving;
    try {
      await (found === undefined ? create(api, next) : change(api, found, next));
      log.info({ due }, "certificates of the webhooks renewed");
      return serving;
    } catch (error) {
      if (!isConflict(error)) throw error; // another process was first
    }
  }
}

/** Renews the certificates in time. */
export function keepServing(api: Api, host: string): Lead {
  const run = async (): Promise<number> => {
    await settleServing(api, host);
    return LOOK_MILLIS;
  };
  const queue = new Queue({ name: "certificates", workers: 1, run });
  return (term) => {
    queue.start(term);
    queue.add(secret.name);
    return Promise.resolve();
  };
}

/** Hands on each certificate that comes after this one, until the signal. */
export async function followServing(
  api: Api,
  { certificate }: Serving,
  take: (next: Serving) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let served = certificate; !signal.aborted; ) {
    await sleep(FOLLOW_MILLIS, undefined, { ref: false });
    const next = await readServing(api).catch(() => undefined);
    if (next === undefined || next.certificate === served) continue;
    take(next);
    served = next.certificate;
    log.info("renewed certificate of the webhooks taken");
  }
}

const decoded = (found: Secret | undefined): Data =>
  Object.fromEntries(Object.entries(found?.data ?? {}).map(([name, text]) => [name, fromBase64(text)]));
const fromBase64 = (text: string): string => Buffer.from(text, "base64").toString("utf8");
const encoded = (data: Data): Data =>
  Object.fromEntries(Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString("base64")]));

/**
 * By apply, since a right to create can be tied to a name only where the request names one. Without force and with an owner
 * of its own for each process, so that of several that begin at the same time one wins.
 */
async function create(api: Api, data: Data): Promise<void> {
  const labels = { [keys.leaseManagedBy]: keys.leaseManager };
  const { kind } = kinds.secrets;
  const apiVersion = apiVersionOf(kinds.secrets);
  const object = { apiVersion, kind, metadata: { ...secret, labels }, type: "Opaque", data: encoded(data) };
  const fieldManager = `${keys.operatorFieldManager}-${randomBytes(4).toString("hex")}`;
  await api.apply(kinds.secrets, object, { fieldManager, force: false });
}

async function change(api: Api, found: Secret, data: Data): Promise<void> {
  const { uid, resourceVersion } = metadataOf(found);
  await api.merge(kinds.secrets, secret, { metadata: { uid, resourceVersion }, data: encoded(data) });
}
