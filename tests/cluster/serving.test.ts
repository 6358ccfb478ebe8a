import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MOUNTED, settleCertificate } from "../../cluster/certificate.ts";
import { keepWebhooksNarrow } from "../../cluster/install.ts";
import { kinds, type Kind, type WebhookConfiguration } from "../../cluster/kinds.ts";
import { lacksServing, secretText, vouchesForItself } from "../../cluster/serving.ts";
import { isNarrowed } from "../../cluster/webhooks.ts";
import { selfSigned } from "../../cluster/x509.ts";
import { MemoryStore } from "../support/memory-api.ts";
import { pass, pauseTime, resumeTime } from "../support/paused-time.ts";

const name = "pepr-berth";
const both: readonly Kind<WebhookConfiguration>[] = [kinds.mutatingWebhooks, kinds.validatingWebhooks];
const ends: AbortController[] = [];
beforeEach(() => {
  pauseTime();
});
afterEach(() => {
  for (const end of ends.splice(0)) end.abort();
  resumeTime();
});

/** A configuration as it comes from a file, or as one of Pepr's deploys writes it. */
const written = (clientConfig: object = {}): WebhookConfiguration => ({
  metadata: { name },
  webhooks: [
    {
      name: "pepr-berth.pepr.dev",
      admissionReviewVersions: ["v1"],
      clientConfig: { service: { namespace: "pepr-system", name, path: "/" }, ...clientConfig },
      sideEffects: "None",
      rules: [{ apiGroups: ["metallb.io"], resources: ["ipaddresspools"] }],
    },
  ],
});
const peprs = {
  caBundle: Buffer.from(selfSigned({ host: "ca", fromMillis: 0, untilMillis: 4e12 }).certificate).toString("base64"),
  service: { namespace: "pepr-system", name, path: "/mutate/peprs" },
};

const secret = (
  store: MemoryStore,
  suffix: string,
): ReturnType<typeof store.get<(typeof kinds.secrets)["shape"] & object>> =>
  store.get(kinds.secrets, { namespace: "pepr-system", name: `${name}-${suffix}` });
const client = (
  store: MemoryStore,
  kind: Kind<WebhookConfiguration>,
): { caBundle?: string; service?: { path?: string } } =>
  store.get(kind, { name })?.webhooks?.[0]?.clientConfig ?? expect.fail();

async function led(store: MemoryStore): Promise<void> {
  const end = new AbortController();
  ends.push(end);
  await keepWebhooksNarrow(store.client(), name, end.signal)(end.signal);
  await pass(1_000);
}

describe("webhook configurations from a file", () => {
  it("are told one certificate and one path, which stand in the Secrets, and are narrowed", async () => {
    const store = new MemoryStore();
    for (const kind of both) store.seed(kind, written());
    await led(store);
    const certificate = secretText(secret(store, "tls"), "tls.crt");
    const path = secretText(secret(store, "api-path"), "value");
    expect(path).toMatch(/^[0-9a-f]{64}$/);
    expect(new X509Certificate(certificate).checkHost("pepr-berth.pepr-system.svc")).toBeDefined();
    expect(both.map((kind) => Buffer.from(client(store, kind).caBundle ?? "", "base64").toString())).toEqual([
      certificate,
      certificate,
    ]);
    expect(both.map((kind) => client(store, kind).service?.path)).toEqual([`/mutate/${path}`, `/validate/${path}`]);
    expect(both.map((kind) => isNarrowed(store.get(kind, { name }) ?? expect.fail()))).toEqual([true, true]);
  });

  it("have the same ones after they were applied anew without them", async () => {
    const store = new MemoryStore();
    for (const kind of both) store.seed(kind, written());
    await led(store);
    const before = both.map((kind) => client(store, kind));
    for (const kind of both) store.edit(kind, { name }, { webhooks: written().webhooks });
    await pass(1_000);
    expect(both.map((kind) => client(store, kind))).toEqual(before);
  });

  it("get a new certificate where that of the Secret was signed by an authority that is gone", async () => {
    const store = new MemoryStore();
    for (const kind of both) store.seed(kind, written());
    store.seed(kinds.secrets, {
      metadata: { namespace: "pepr-system", name: `${name}-tls` },
      data: { "tls.crt": Buffer.from("-----BEGIN CERTIFICATE-----\n").toString("base64") },
    });
    await led(store);
    expect(vouchesForItself(secretText(secret(store, "tls"), "tls.crt"))).toBe(true);
  });

  it("stay as a deploy of Pepr's has written them", async () => {
    const store = new MemoryStore();
    for (const kind of both) store.seed(kind, written(peprs));
    await led(store);
    expect(store.all(kinds.secrets)).toEqual([]);
    expect(client(store, kinds.mutatingWebhooks)).toEqual(peprs);
    expect(lacksServing(written(peprs))).toBe(false);
  });
});

describe("a process that is to answer webhooks", () => {
  const nothing = (): string => "";

  it("waits for the watcher that leads, then serves what stands in the Secrets", async () => {
    const store = new MemoryStore();
    for (const kind of both) store.seed(kind, written());
    const environment: NodeJS.ProcessEnv = {};
    const settled = settleCertificate(store.client(), name, environment, { role: "admission", mounted: nothing });
    await pass(5_000);
    expect(environment).toEqual({});
    await led(store);
    await settled;
    expect(environment["PEPR_API_PATH"]).toBe(secretText(secret(store, "api-path"), "value"));
    expect(readFileSync(environment["SSL_CERT_PATH"] ?? "", "utf8")).toBe(secretText(secret(store, "tls"), "tls.crt"));
    expect(readFileSync(environment["SSL_KEY_PATH"] ?? "", "utf8")).toBe(secretText(secret(store, "tls"), "tls.key"));
  });

  it("serves what is mounted where that is what the API server asks for", async () => {
    const store = new MemoryStore();
    const { certificate } = selfSigned({ host: "ca", fromMillis: 0, untilMillis: 4e12 });
    const caBundle = Buffer.from(certificate).toString("base64");
    for (const kind of both) store.seed(kind, written({ ...peprs, caBundle }));
    const environment: NodeJS.ProcessEnv = {};
    const mounted = (path: string): string => (path === MOUNTED.path ? "peprs\n" : certificate);
    await settleCertificate(store.client(), name, environment, { role: "admission", mounted });
    expect(environment).toEqual({});
  });

  it("takes the path from its Secret where the mounted one is of an earlier deploy", async () => {
    const store = new MemoryStore();
    const { certificate } = selfSigned({ host: "ca", fromMillis: 0, untilMillis: 4e12 });
    for (const kind of both)
      store.seed(kind, written({ ...peprs, caBundle: Buffer.from(certificate).toString("base64") }));
    const data = { value: Buffer.from("peprs").toString("base64") };
    store.seed(kinds.secrets, { metadata: { namespace: "pepr-system", name: `${name}-api-path` }, data });
    const environment: NodeJS.ProcessEnv = {};
    const mounted = (path: string): string => (path === MOUNTED.path ? "earlier" : certificate);
    await settleCertificate(store.client(), name, environment, { role: "admission", mounted });
    expect(environment).toEqual({ PEPR_API_PATH: "peprs" });
  });

  it("goes on after half a minute in which nothing came", async () => {
    const environment: NodeJS.ProcessEnv = {};
    const options = { role: "watcher", mounted: nothing } as const;
    const settled = settleCertificate(new MemoryStore().client(), name, environment, options);
    await pass(31_000);
    await settled;
    expect(environment).toEqual({});
  });
});
