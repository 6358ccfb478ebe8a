/**
 * The certificate that the webhooks are served with, and the secret part of their path. Pepr makes new ones with each
 * deploy, and applies them after the pods; where no deploy brings them, the watcher makes them after the pods have started.
 */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import type { Role } from "./cluster.ts";
import { kinds, type Secret } from "./kinds.ts";
import { log } from "./log.ts";
import { secretText, servingSecrets } from "./serving.ts";

/** Where Pepr looks for the files unless the environment says otherwise. */
export const MOUNTED = { certificate: "/etc/certs/tls.crt", path: "/app/api-path/value" } as const;
/** How long the Secrets may take to follow the webhook configuration, in milliseconds. */
const PATIENCE_MILLIS = 30_000;
const POLL_MILLIS = 250;

type Settling = {
  readonly api: Api;
  readonly webhooks: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Content of a file; empty where there is none. */
  readonly mounted: (path: string) => string;
};

/**
 * Has Pepr serve a certificate that the API server trusts, under the path that it asks for: what is mounted, or, where
 * kubelet has not yet brought the newest, the Secrets' own. After half a minute it goes on with what there is.
 */
export async function settleCertificate(
  api: Api,
  webhooks: string,
  environment: NodeJS.ProcessEnv,
  { role, mounted = readMounted }: { readonly role: Role; readonly mounted?: (path: string) => string },
): Promise<void> {
  if (environment["SSL_CERT_PATH"] !== undefined) return;
  const settling: Settling = { api, webhooks, environment, mounted };
  const steps = role === "admission" ? [settlePair, settlePath] : [settlePair];
  const end = performance.now() + PATIENCE_MILLIS;
  for (const step of steps) {
    while (!(await step(settling).catch(() => false))) {
      if (performance.now() > end) {
        log.error({ webhooks }, "the API server trusts no certificate of this process; install again");
        return;
      }
      await sleep(POLL_MILLIS);
    }
  }
}

async function settlePair({ api, webhooks, environment, mounted }: Settling): Promise<boolean> {
  const current = mounted(MOUNTED.certificate);
  const { caBundle } = await askedFor(api, webhooks);
  if (caBundle === undefined) return current !== "";
  const authority = new X509Certificate(Buffer.from(caBundle, "base64"));
  if (isSignedBy(current, authority)) return true;
  const found = await secretOf(api, servingSecrets(webhooks).tls);
  const certificate = secretText(found, "tls.crt");
  if (!isSignedBy(certificate, authority)) return false;
  const folder = mkdtempSync(join(tmpdir(), "certs-"));
  environment["SSL_CERT_PATH"] = write(join(folder, "tls.crt"), certificate);
  environment["SSL_KEY_PATH"] = write(join(folder, "tls.key"), secretText(found, "tls.key"));
  log.info({ webhooks }, "certificate taken from its Secret, the mounted one is missing or of an earlier deploy");
  return true;
}

async function settlePath({ api, webhooks, environment, mounted }: Settling): Promise<boolean> {
  const current = environment["PEPR_API_PATH"] ?? mounted(MOUNTED.path).trim();
  const { path } = await askedFor(api, webhooks);
  if (path === undefined) return current !== "";
  if (path === current) return true;
  const value = secretText(await secretOf(api, servingSecrets(webhooks).path), "value").trim();
  if (value !== path) return false;
  environment["PEPR_API_PATH"] = value;
  return true;
}

/** What the API server asks with; undefined what no configuration says yet. */
async function askedFor(
  api: Api,
  name: string,
): Promise<{ readonly caBundle?: string | undefined; readonly path?: string | undefined }> {
  const client = (await api.get(kinds.mutatingWebhooks, { name }))?.webhooks?.[0]?.clientConfig;
  const path = client?.service?.path?.split("/")[2] ?? "";
  return { caBundle: client?.caBundle, path: path === "" ? undefined : path };
}

const secretOf = (api: Api, name: string): Promise<Secret | undefined> =>
  api.get(kinds.secrets, { namespace: keys.operatorNamespace, name });

function isSignedBy(certificate: string, authority: X509Certificate): boolean {
  try {
    return new X509Certificate(certificate).verify(authority.publicKey);
  } catch {
    return false;
  }
}

function readMounted(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function write(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
