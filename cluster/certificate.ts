/** The certificate that the webhooks are served with. Pepr makes a new one with each deploy, and applies it after the pods. */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import { kinds, type ApiObject, type Kind } from "./kinds.ts";
import { log } from "./log.ts";

type Secret = ApiObject & { data?: Record<string, string> };
const secrets: Kind<Secret> = { group: "", version: "v1", kind: "Secret", plural: "secrets" };

/** Where Pepr looks for the files unless the environment says otherwise. */
const MOUNTED = "/etc/certs/tls.crt";
/** How long the Secret may take to follow the webhook configuration, in milliseconds. */
const PATIENCE_MILLIS = 30_000;
const POLL_MILLIS = 250;

/**
 * Has Pepr serve a certificate that the API server trusts: the one mounted, or, where kubelet has not yet brought the
 * one of the newest deploy, the Secret's own. After half a minute it goes on with what there is.
 */
export async function settleCertificate(api: Api, webhooks: string, environment: NodeJS.ProcessEnv): Promise<void> {
  if (environment["SSL_CERT_PATH"] !== undefined) return;
  const end = performance.now() + PATIENCE_MILLIS;
  while (performance.now() < end) {
    const authority = await trustedAuthority(api, webhooks).catch(() => undefined);
    if (authority === undefined || isSignedBy(readFileSync(MOUNTED, "utf8"), authority)) return;
    const data = (await api.get(secrets, { namespace: keys.operatorNamespace, name: `${webhooks}-tls` }))?.data ?? {};
    const [certificate, key] = [decode(data["tls.crt"]), decode(data["tls.key"])];
    if (!isSignedBy(certificate, authority)) {
      await sleep(POLL_MILLIS);
      continue;
    }
    const folder = mkdtempSync(join(tmpdir(), "certs-"));
    environment["SSL_CERT_PATH"] = write(join(folder, "tls.crt"), certificate);
    environment["SSL_KEY_PATH"] = write(join(folder, "tls.key"), key);
    log.info({ webhooks }, "certificate taken from its Secret, the mounted one is of an earlier deploy");
    return;
  }
  log.error({ webhooks }, "the API server does not trust the certificate; run npx pepr deploy again");
}

async function trustedAuthority(api: Api, name: string): Promise<X509Certificate | undefined> {
  const bundle = (await api.get(kinds.mutatingWebhooks, { name }))?.webhooks?.[0]?.clientConfig.caBundle;
  return bundle === undefined ? undefined : new X509Certificate(decode(bundle));
}

function isSignedBy(certificate: string, authority: X509Certificate): boolean {
  try {
    return new X509Certificate(certificate).verify(authority.publicKey);
  } catch {
    return false;
  }
}

const decode = (text: string | undefined): string => Buffer.from(text ?? "", "base64").toString("utf8");

function write(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
