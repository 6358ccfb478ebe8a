/**
 * What the webhooks are served with where no `pepr deploy` has brought it: the certificate, and the part of their path
 * that only the API server knows. Both are made in the cluster, so that no manifest and no chart holds a secret.
 */
import { randomBytes, X509Certificate } from "node:crypto";
import { keys } from "../core/keys.ts";
import type { Api } from "./api.ts";
import {
  apiVersionOf,
  kinds,
  type ApiObject,
  type Kind,
  type Metadata,
  type Secret,
  type WebhookConfiguration,
} from "./kinds.ts";
import { log } from "./log.ts";
import { selfSigned } from "./x509.ts";

/** For how long a certificate is good, as Pepr's own, in milliseconds. */
const CERTIFICATE_MILLIS = 365 * 86_400_000;
/** By how much the API server's clock may be behind, in milliseconds. */
const CLOCK_SKEW_MILLIS = 3_600_000;
/** Bytes of the path's secret part, as many as Pepr's has. */
const PATH_BYTES = 32;

const secret = (name: string): { readonly namespace: string; readonly name: string } => ({
  namespace: keys.operatorNamespace,
  name,
});

/** Where the certificate and its key are, and where the path is; Pepr's names. */
export const servingSecrets = (webhooks: string): { readonly tls: string; readonly path: string } => ({
  tls: `${webhooks}-tls`,
  path: `${webhooks}-api-path`,
});

/** The text of one entry of a Secret; empty where it has none. */
export const secretText = (object: Secret | undefined, entry: string): string =>
  Buffer.from(object?.data?.[entry] ?? "", "base64").toString("utf8");

/** Whether the configuration does not say yet whom to trust and which path to ask, as it comes from a manifest. */
export function lacksServing({ metadata, webhooks = [] }: WebhookConfiguration): boolean {
  const peprs = webhooks.find(({ name }) => name === `${metadata?.name ?? ""}.pepr.dev`);
  if (peprs?.clientConfig.service === undefined) return false;
  return peprs.clientConfig.caBundle === undefined || (peprs.clientConfig.service.path ?? "/") === "/";
}

/** Completes webhook configurations; to be used by the watcher that leads. */
export class Serving {
  readonly #api: Api;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(api: Api) {
    this.#api = api;
  }

  /** Has the configuration trust the certificate and ask for the path, which are made where there are none yet. */
  async complete<T extends WebhookConfiguration>(kind: Kind<T>, configuration: T): Promise<void> {
    // One after the other, or the two configurations would be given a certificate each.
    const done = this.#busy.catch(() => undefined).then(() => this.#complete(kind, configuration));
    this.#busy = done;
    await done;
  }

  async #complete<T extends WebhookConfiguration>(kind: Kind<T>, { metadata, webhooks }: T): Promise<void> {
    const { name = "" } = metadata ?? {};
    const [certificate, path] = [await this.#certificate(name), await this.#path(name)];
    const verb = kind.kind === kinds.mutatingWebhooks.kind ? "mutate" : "validate";
    const service = (webhooks ?? []).find((webhook) => webhook.name === `${name}.pepr.dev`)?.clientConfig.service;
    const clientConfig = {
      caBundle: Buffer.from(certificate).toString("base64"),
      service: { name: service?.name, namespace: service?.namespace, path: `/${verb}/${path}` },
    };
    await this.#apply(kind, { name }, { webhooks: [{ name: `${name}.pepr.dev`, clientConfig }] });
    log.info({ name, kind: kind.kind }, "webhooks told their certificate and path");
  }

  async #certificate(webhooks: string): Promise<string> {
    const { tls } = servingSecrets(webhooks);
    const found = secretText(await this.#api.get(kinds.secrets, secret(tls)), "tls.crt");
    // One of `pepr deploy` is signed by an authority that nobody has any more.
    if (vouchesForItself(found)) return found;
    const host = `${webhooks}.${keys.operatorNamespace}.svc`;
    const now = Date.now();
    const request = { host, fromMillis: now - CLOCK_SKEW_MILLIS, untilMillis: now + CERTIFICATE_MILLIS };
    const { certificate, key } = selfSigned(request);
    await this.#write(tls, "kubernetes.io/tls", { "tls.crt": certificate, "tls.key": key });
    return certificate;
  }

  async #path(webhooks: string): Promise<string> {
    const { path: name } = servingSecrets(webhooks);
    const found = secretText(await this.#api.get(kinds.secrets, secret(name)), "value").trim();
    if (found !== "") return found;
    const path = randomBytes(PATH_BYTES).toString("hex");
    await this.#write(name, "Opaque", { value: path });
    return path;
  }

  async #write(name: string, type: string, texts: Readonly<Record<string, string>>): Promise<void> {
    const data = Object.fromEntries(
      Object.entries(texts).map(([entry, text]) => [entry, Buffer.from(text).toString("base64")]),
    );
    await this.#apply(kinds.secrets, secret(name), { type, data });
    log.info({ name }, "secret made");
  }

  async #apply<T extends ApiObject>(kind: Kind<T>, metadata: Metadata, fields: object): Promise<void> {
    const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...fields };
    await this.#api.apply<ApiObject>(kind, object, { fieldManager: keys.servingFieldManager });
  }
}

/** Whether a certificate is signed by its own key, so that who trusts it needs no other. */
export function vouchesForItself(certificate: string): boolean {
  try {
    const parsed = new X509Certificate(certificate);
    return parsed.verify(parsed.publicKey);
  } catch {
    return false;
  }
}
