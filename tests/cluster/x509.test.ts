import { generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, connect, type TLSSocket } from "node:tls";
import { describe, expect, it, test } from "vitest";
import fc from "fast-check";
import { makeCertificate } from "../../cluster/x509.ts";

const pair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const HOST = "pepr-berth.pepr-system.svc";
const DAY = 86_400_000;
const from = new Date("2026-11-24T20:00:00Z");

function authority(name = "Berth", { days = 3_650, serial = randomBytes(16) } = {}) {
  const keys = pair();
  const to = new Date(from.getTime() + days * DAY);
  const subject = { name, isAuthority: true };
  const pem = makeCertificate({ subject, publicKey: keys.publicKey, issuer: { name, ...keys }, serial, from, to });
  return { name, ...keys, pem };
}

function server(issuer: ReturnType<typeof authority>, name = HOST) {
  const { publicKey, privateKey } = pair();
  const [to, serial] = [new Date(from.getTime() + 90 * DAY), randomBytes(16)];
  const pem = makeCertificate({ subject: { name, isAuthority: false }, publicKey, issuer, serial, from, to });
  return { pem, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

describe("a certificate", () => {
  it("says what it was made to say", () => {
    const issuer = authority();
    const read = new X509Certificate(server(issuer).pem);
    expect(read).toMatchObject({
      subject: `CN=${HOST}`,
      issuer: "CN=Berth",
      subjectAltName: `DNS:${HOST}`,
      validFrom: "Nov 24 20:00:00 2026 GMT",
      validTo: "Feb 22 20:00:00 2027 GMT",
      ca: false,
      keyUsage: ["1.3.6.1.5.5.7.3.1"],
    });
    expect(read.checkIssued(new X509Certificate(issuer.pem)) && read.verify(issuer.publicKey)).toBe(true);
    expect(read.verify(pair().publicKey)).toBe(false);
  });

  it("of an authority is one, signed by itself, also beyond the year 2049", () => {
    const { pem, publicKey } = authority("Berth", { days: 12_000 });
    const read = new X509Certificate(pem);
    expect([read.ca, read.verify(publicKey), read.validTo]).toEqual([true, true, "Oct  2 20:00:00 2059 GMT"]);
  });

  test("has the serial number that it was given, whatever its first bits", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 19 }), (bytes) => {
        const serial = Buffer.from(bytes);
        const read = new X509Certificate(authority("Berth", { serial }).pem);
        expect(BigInt(`0x${read.serialNumber}`)).toBe(BigInt(`0x${serial.toString("hex")}`));
      }),
      { numRuns: 50 },
    );
  });
});

async function handshake(served: { pem: string; key: string }, ca: string): Promise<TLSSocket> {
  const listening = createServer({ cert: served.pem, key: served.key }).listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as { port: number };
  const socket = connect({ host: "127.0.0.1", port, ca, servername: HOST });
  try {
    await once(socket, "secureConnect");
    return socket;
  } finally {
    socket.destroy();
    listening.close();
  }
}

describe("a client that trusts a bundle of authorities", () => {
  const [old, next] = [authority(), authority()];
  const bundle = next.pem + old.pem;

  it.each([
    ["the older", old],
    ["the newer", next],
  ])("takes a server that %s has signed, although both have one name", async (_, issuer) => {
    expect((await handshake(server(issuer), bundle)).authorized).toBe(true);
  });

  it("refuses one that neither has signed, and one of another name", async () => {
    await expect(handshake(server(authority()), bundle)).rejects.toThrow(/unable to verify|issuer/);
    await expect(handshake(server(old, "other.svc"), bundle)).rejects.toThrow(/altnames|Hostname/);
  });
});
