/** What the webhooks are served with, as it stands in a Secret: read, judged and made anew. Touches no cluster. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { renewal, type Renewal, type Validity } from "../core/renewal.ts";
import { makeCertificate } from "./x509.ts";

/** What a process serves the webhooks with. */
export type Serving = {
  /** As PEM, with its private key. */
  readonly certificate: string;
  readonly key: string;
  /** Those whom the API server is to trust, as PEM: the newest authority first, then older ones that have not ended. */
  readonly authorities: string;
  /** Last part of the webhooks' paths, which only the API server is told. */
  readonly path: string;
};

/** The Secret's data, decoded. */
export type Data = Readonly<Record<string, string>>;

/** Name of the authority in its certificate. */
const AUTHORITY = "Berth webhooks";
const DAY_MILLIS = 86_400_000;
/** How long the certificates hold, in milliseconds; they are renewed in the last third. */
const SERVER_MILLIS = 90 * DAY_MILLIS;
const AUTHORITY_MILLIS = 3_650 * DAY_MILLIS;
/** By how much the clocks of two machines may differ, in milliseconds. */
const SKEW_MILLIS = 3_600_000;
/** Bytes of a serial number, and of the path. */
const SERIAL_BYTES = 16;
const PATH_BYTES = 32;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;

/** What there is to serve with; undefined where a part is missing. */
export function servingOf(data: Data): Serving | undefined {
  const { "tls.crt": certificate, "tls.key": key, "ca.crt": authorities, path } = data;
  if (certificate === undefined || key === undefined || authorities === undefined || path === undefined)
    return undefined;
  return { certificate, key, authorities, path };
}

/** What has to be made anew for a server of this name; what can't be used counts as missing. */
export function dueIn(data: Data, host: string, nowMillis: number): Renewal {
  if (!isPath(data["path"])) return "all";
  const [authority, ...older] = authoritiesIn(data);
  const signer = authority !== undefined && isPair(authority, data["ca.key"]) ? authority : undefined;
  const server = readCertificate(data["tls.crt"]);
  const isUsable =
    server?.checkHost(host) !== undefined &&
    isPair(server, data["tls.key"]) &&
    [signer, ...older].some((one) => one !== undefined && server.verify(one.publicKey));
  return renewal(validityOf(signer), isUsable ? validityOf(server) : undefined, nowMillis);
}

/** The data with that made anew. */
export function renewed(data: Data, what: Renewal, host: string, nowMillis: number): Data {
  switch (what) {
    case "nothing":
      return data;
    case "authority":
      return { ...data, ...newAuthority(authoritiesIn(data), nowMillis) };
    case "server":
      return { ...data, ...newServer(data, host, nowMillis) };
    case "all": {
      const path = isPath(data["path"]) ? data["path"] : randomBytes(PATH_BYTES).toString("hex");
      const fresh = { path, ...newAuthority([], nowMillis) };
      return { ...data, ...fresh, ...newServer(fresh, host, nowMillis) };
    }
  }
}

const isPath = (text: string | undefined): text is string => /^[0-9a-f]{64}$/.test(text ?? "");

function newAuthority(before: readonly X509Certificate[], nowMillis: number): Record<"ca.crt" | "ca.key", string> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = { name: AUTHORITY, publicKey, privateKey };
  const subject = { name: AUTHORITY, isAuthority: true };
  const pem = makeCertificate({ subject, publicKey, issuer, ...times(nowMillis, AUTHORITY_MILLIS) });
  const trusted = before.filter((one) => one.validToDate.getTime() > nowMillis).map(String);
  return { "ca.crt": [pem, ...trusted].join(""), "ca.key": exported(privateKey) };
}

function newServer(authority: Data, host: string, nowMillis: number): Record<"tls.crt" | "tls.key", string> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = createPrivateKey(authority["ca.key"] ?? "");
  const issuer = { name: AUTHORITY, publicKey: createPublicKey(signer), privateKey: signer };
  const subject = { name: host, isAuthority: false };
  const pem = makeCertificate({ subject, publicKey, issuer, ...times(nowMillis, SERVER_MILLIS) });
  return { "tls.crt": pem, "tls.key": exported(privateKey) };
}

type PrivateKey = ReturnType<typeof createPrivateKey>;
const exported = (key: PrivateKey): string => key.export({ type: "pkcs8", format: "pem" }).toString();

const times = (nowMillis: number, forMillis: number): { serial: Buffer; from: Date; to: Date } => ({
  serial: randomBytes(SERIAL_BYTES),
  from: new Date(nowMillis - SKEW_MILLIS),
  to: new Date(nowMillis + forMillis),
});

const authoritiesIn = (data: Data): readonly X509Certificate[] =>
  (data["ca.crt"] ?? "").match(PEM)?.flatMap((pem) => readCertificate(pem) ?? []) ?? [];

function readCertificate(pem = ""): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function isPair(certificate: X509Certificate, key = ""): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

const validityOf = (certificate: X509Certificate | undefined): Validity | undefined =>
  certificate === undefined
    ? undefined
    : { fromMillis: certificate.validFromDate.getTime(), toMillis: certificate.validToDate.getTime() };
