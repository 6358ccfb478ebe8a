/** A certificate that vouches for itself (RFC 5280), in the bytes of DER (X.690). Node reads certificates and makes none. */
import { createSign, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";

/** A certificate and its key, in PEM. */
export type Certificate = { readonly certificate: string; readonly key: string };

/** For whom, and from when to when, in milliseconds of the wall clock. */
export type CertificateRequest = { readonly host: string; readonly fromMillis: number; readonly untilMillis: number };

const SEQUENCE = 0x30;
const SET = 0x31;
const OID = {
  commonName: [0x55, 0x04, 0x03],
  keyUsage: [0x55, 0x1d, 0x0f],
  subjectAltName: [0x55, 0x1d, 0x11],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
} as const;

/** A new key (P-256) and a certificate that it has signed itself, for a TLS server of that name and for nothing else. */
export function selfSigned(request: CertificateRequest): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const body = toBeSigned(request, publicKey);
  const signature = createSign("sha256").update(body).sign(privateKey);
  const certificate = tlv(SEQUENCE, body, tlv(SEQUENCE, oid(OID.ecdsaWithSha256)), bits(signature));
  return {
    certificate: pem("CERTIFICATE", certificate),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function toBeSigned({ host, fromMillis, untilMillis }: CertificateRequest, publicKey: KeyObject): Buffer {
  const name = tlv(SEQUENCE, tlv(SET, tlv(SEQUENCE, oid(OID.commonName), tlv(0x0c, Buffer.from(host)))));
  const extensions = tlv(
    SEQUENCE,
    // The one use: bit 0, digitalSignature, of which 7 bits of the byte are unused.
    tlv(SEQUENCE, oid(OID.keyUsage), tlv(0x01, Buffer.of(0xff)), tlv(0x04, tlv(0x03, Buffer.of(7, 0x80)))),
    tlv(SEQUENCE, oid(OID.extendedKeyUsage), tlv(0x04, tlv(SEQUENCE, oid(OID.serverAuth)))),
    tlv(SEQUENCE, oid(OID.subjectAltName), tlv(0x04, tlv(SEQUENCE, tlv(0x82, Buffer.from(host))))),
  );
  return tlv(
    SEQUENCE,
    tlv(0xa0, tlv(0x02, Buffer.of(2))), // version 3
    tlv(0x02, Buffer.concat([Buffer.of(0x01), randomBytes(15)])), // the leading byte keeps the number positive
    tlv(SEQUENCE, oid(OID.ecdsaWithSha256)),
    name,
    tlv(SEQUENCE, time(fromMillis), time(untilMillis)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, extensions),
  );
}

const oid = (bytes: readonly number[]): Buffer => tlv(0x06, Buffer.from(bytes));

const bits = (content: Buffer): Buffer => tlv(0x03, Buffer.concat([Buffer.of(0), content]));

/** UTCTime until 2049, GeneralizedTime after that (RFC 5280 §4.1.2.5). */
function time(millis: number): Buffer {
  const text = `${new Date(millis).toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;
  return text < "2050" ? tlv(0x17, Buffer.from(text.slice(2))) : tlv(0x18, Buffer.from(text));
}

/** Tag, length, value. */
function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const short = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...short), value]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
