/** Makes X.509 certificates (RFC 5280), which Node can read and sign but not write. Keeps to P-256, and decides nothing. */
import { createHash, sign, X509Certificate, type KeyObject } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate as Signed,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

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

/** Object identifiers of RFC 5758 §3.2 and RFC 5280 §4.1.2.4. */
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";

/** The certificate, as PEM. */
export function makeCertificate(certificate: Certificate): string {
  const { subject, publicKey, issuer, serial, from, to } = certificate;
  const signatureAlgorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: bytes(positive(serial)),
    signature: signatureAlgorithm,
    issuer: distinguished(issuer.name),
    validity: new Validity({ notBefore: from, notAfter: to }),
    subject: distinguished(subject.name),
    subjectPublicKeyInfo: AsnConvert.parse(spki(publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions([...uses(subject), ...keyIdentifiers(publicKey, issuer.publicKey)]),
  });
  const signatureValue = bytes(sign("sha256", encoded(tbsCertificate), issuer.privateKey));
  return new X509Certificate(encoded(new Signed({ tbsCertificate, signatureAlgorithm, signatureValue }))).toString();
}

function uses({ name, isAuthority }: Subject): readonly Extension[] {
  const constraints = new BasicConstraints({ cA: isAuthority });
  const usage = new KeyUsage(isAuthority ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature);
  const both = [extension(id_ce_basicConstraints, constraints, true), extension(id_ce_keyUsage, usage, true)];
  if (isAuthority) return both;
  return [
    ...both,
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
    extension(id_ce_subjectAltName, new SubjectAlternativeName([new GeneralName({ dNSName: name })])),
  ];
}

const keyIdentifiers = (own: KeyObject, issuers: KeyObject): readonly Extension[] => [
  extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(own))),
  extension(
    id_ce_authorityKeyIdentifier,
    new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(issuers)) }),
  ),
];

const extension = (extnID: string, value: object, critical = false): Extension =>
  new Extension({ extnID, critical, extnValue: new OctetString(encoded(value)) });

const distinguished = (name: string): Name =>
  new Name([
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type: COMMON_NAME, value: new AttributeValue({ utf8String: name }) }),
    ]),
  ]);

/** A number of DER is negative where its first bit is set, and has no byte that says nothing before it (X.690 §8.3). */
function positive(number: Buffer): Buffer {
  const first = number.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.of(0) : number.subarray(first);
  return (digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.of(0), digits]);
}

/** What tells the keys of two authorities apart (RFC 7093 §2, method 4). */
const keyIdentifier = (key: KeyObject): Buffer => createHash("sha256").update(spki(key)).digest().subarray(0, 20);

const spki = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });
const encoded = (value: object): Buffer => Buffer.from(AsnConvert.serialize(value));
/** A copy of its own, since a Buffer may be part of a larger one. */
const bytes = (buffer: Buffer): ArrayBuffer => new Uint8Array(buffer).buffer;
