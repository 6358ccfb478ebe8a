/** Makes X.509 certificates (RFC 5280), which Node can read but not write. Keeps to P-256, and decides nothing. */
import { createHash, sign, type KeyObject } from "node:crypto";

/** Who a certificate is for: an authority that signs others, or a server with this name in the DNS. */
export type Subject = { readonly name: string; readonly isAuthority: boolean };

/** What a certificate says. */
export type Certificate = {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly issuer: { readonly name: string; readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** A positive number of at most 20 bytes. */
  readonly serial: Buffer;
  readonly from: Date;
  readonly to: Date;
};

/** Tags of DER (X.690 §8); those of the context are of this certificate's own fields. */
const tags = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  identifier: 0x06,
  text: 0x0c,
  shortTime: 0x17,
  longTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  keyOfAuthority: 0x80,
  dnsName: 0x82,
} as const;

/** Object identifiers, as DER writes them. */
const identifiers = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  keyOfSubject: "551d0e",
  keyUsage: "551d0f",
  alternativeName: "551d11",
  constraints: "551d13",
  keyOfAuthority: "551d23",
  extendedUsage: "551d25",
  serverAuthentication: "2b06010505070301",
} as const;

/** The certificate, as PEM. */
export function makeCertificate(certificate: Certificate): string {
  const { subject, publicKey, issuer, serial, from, to } = certificate;
  const signed = sequence(
    der(tags.version, der(tags.integer, Buffer.of(2))),
    der(tags.integer, positive(serial)),
    algorithm,
    distinguished(issuer.name),
    sequence(time(from), time(to)),
    distinguished(subject.name),
    publicKey.export({ type: "spki", format: "der" }),
    der(tags.extensions, sequence(...extensions(subject, publicKey, issuer.publicKey))),
  );
  const signature = sign("sha256", signed, issuer.privateKey);
  const whole = sequence(signed, algorithm, bits(0, signature));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function extensions({ name, isAuthority }: Subject, own: KeyObject, issuers: KeyObject): readonly Buffer[] {
  const keys = [
    extension("keyOfSubject", der(tags.octets, keyIdentifier(own))),
    extension("keyOfAuthority", sequence(der(tags.keyOfAuthority, keyIdentifier(issuers)))),
  ];
  if (isAuthority) {
    const may = critical("constraints", sequence(der(tags.boolean, Buffer.of(0xff))));
    return [may, critical("keyUsage", bits(2, Buffer.of(0x04))), ...keys];
  }
  return [
    critical("constraints", sequence()),
    critical("keyUsage", bits(7, Buffer.of(0x80))),
    extension("extendedUsage", sequence(identifier("serverAuthentication"))),
    extension("alternativeName", sequence(der(tags.dnsName, Buffer.from(name, "ascii")))),
    ...keys,
  ];
}

/** One value after its tag and length (X.690 §8.1). */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const digits = Buffer.from(length.toString(16).padStart(length < 0x100 ? 2 : 4, "0"), "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 + digits.length), digits, content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(tags.sequence, ...parts);
const bits = (unused: number, content: Buffer): Buffer => der(tags.bits, Buffer.of(unused), content);
const identifier = (name: keyof typeof identifiers): Buffer =>
  der(tags.identifier, Buffer.from(identifiers[name], "hex"));
const algorithm = sequence(identifier("ecdsaWithSha256"));

const extension = (name: keyof typeof identifiers, value: Buffer): Buffer =>
  sequence(identifier(name), der(tags.octets, value));
const critical = (name: keyof typeof identifiers, value: Buffer): Buffer =>
  sequence(identifier(name), der(tags.boolean, Buffer.of(0xff)), der(tags.octets, value));

const distinguished = (name: string): Buffer =>
  sequence(der(tags.set, sequence(identifier("commonName"), der(tags.text, Buffer.from(name)))));

/** A number of DER is negative where its first bit is set, and has no byte that says nothing before it. */
function positive(number: Buffer): Buffer {
  const first = number.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.of(0) : number.subarray(first);
  return (digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.of(0), digits]);
}

/** Two digits for the year up to 2049, four from then on (RFC 5280 §4.1.2.5). */
function time(date: Date): Buffer {
  const text = `${date.toISOString().replace(/\D/g, "").slice(0, 14)}Z`;
  return text < "2050"
    ? der(tags.shortTime, Buffer.from(text.slice(2), "ascii"))
    : der(tags.longTime, Buffer.from(text, "ascii"));
}

/** What tells the keys of two authorities apart (RFC 7093 §2, method 4). */
const keyIdentifier = (key: KeyObject): Buffer =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20);
