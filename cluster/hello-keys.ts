/** The Secret with the keys by which announcers know each other: made, kept and rotated. Time and chance are here. */
import { randomBytes } from "node:crypto";
import { rotate, soundKeys, type HelloKeys } from "../core/announce/hello-keys.ts";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { isConflict } from "./errors.ts";
import { apiVersionOf, kinds, metadataOf, type Secret } from "./kinds.ts";
import { log } from "./log.ts";

/** Bytes of a key: as many as HMAC-SHA-256 gives out (RFC 2104 §3). */
const KEY_BYTES = 32;
const DAY_SECONDS = 86_400;
/** How often a key is replaced where nothing else is set, in days. */
const DEFAULT_DAYS = 30;

const secret = { namespace: keys.namespace, name: keys.helloSecret };

/** The period of rotation in seconds, from the setting in days; a setting that is no positive number counts as none. */
export function rotationSeconds(days: string | undefined): number {
  const number = Number(days ?? DEFAULT_DAYS);
  return (Number.isFinite(number) && number > 0 ? number : DEFAULT_DAYS) * DAY_SECONDS;
}

/**
 * Brings the Secret in order, and gives the keys in it afterwards: those to be known the next time, so that one which
 * somebody deletes comes back. Another watcher that does the same at the same time is let win.
 */
export async function keepHelloKeys(api: Api, periodSeconds: number, known: HelloKeys = {}): Promise<HelloKeys> {
  const found = await api.get(kinds.secrets, secret);
  const data = found?.data ?? {};
  const rotation = rotate({ found: data, known }, Math.floor(Date.now() / 1000), periodSeconds);
  if (rotation === undefined) return soundKeys(data);
  const { add, restore, remove } = rotation;
  const added = add === undefined ? restore : { ...restore, [add]: randomBytes(KEY_BYTES).toString("base64") };
  try {
    if (found === undefined) await create(api, added);
    else await change(api, found, { ...Object.fromEntries(remove.map((name) => [name, null])), ...added });
    log.info({ added: add, restored: Object.keys(restore), removed: remove }, "hello keys rotated");
  } catch (error) {
    if (!isConflict(error)) throw error;
    return known;
  }
  const kept = Object.entries({ ...soundKeys(data), ...added }).filter(([name]) => !remove.includes(name));
  return Object.fromEntries(kept);
}

/** By apply, since a right to create can be tied to a name only where the request names one; Pepr knows one rule for Secrets. */
async function create(api: Api, data: Record<string, string>): Promise<void> {
  const labels = { [keys.leaseManagedBy]: keys.leaseManager, [keys.leaseApp]: keys.leaseAppName };
  const { kind } = kinds.secrets;
  const apiVersion = apiVersionOf(kinds.secrets);
  const object = { apiVersion, kind, metadata: { ...secret, labels }, type: "Opaque", data };
  await api.apply(kinds.secrets, object, { fieldManager: keys.operatorFieldManager });
}

async function change(api: Api, found: Secret, data: Readonly<Record<string, string | null>>): Promise<void> {
  const { uid, resourceVersion } = metadataOf(found);
  await api.merge(kinds.secrets, secret, { metadata: { uid, resourceVersion }, data });
}
