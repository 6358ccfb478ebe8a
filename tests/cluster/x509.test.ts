import { createPrivateKey, X509Certificate } from "node:crypto";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { once } from "node:events";
import { expect, test } from "vitest";
import { selfSigned } from "../../cluster/x509.ts";

const host = "pepr-berth.pepr-system.svc";
const day = 86_400_000;
const made = (fromMillis = Date.now() - day, untilMillis = Date.now() + day): ReturnType<typeof selfSigned> =>
  selfSigned({ host, fromMillis, untilMillis });

test("a certificate vouches for itself, for its host alone, with the key that comes with it", () => {
  const { certificate, key } = made();
  const parsed = new X509Certificate(certificate);
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(parsed.checkHost(host)).toBe(host);
  expect(parsed.checkHost("kubernetes.default.svc")).toBeUndefined();
  expect(parsed.ca).toBe(false);
  expect(parsed.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
});

test.each([
  { from: "2026-11-24T10:00:00Z", until: "2027-11-24T10:00:00Z" },
  { from: "2049-12-31T23:59:59Z", until: "2050-01-01T00:00:00Z" }, // two-digit years end in between
])("it is good from $from until $until", ({ from, until }) => {
  const parsed = new X509Certificate(made(Date.parse(from), Date.parse(until)).certificate);
  expect([parsed.validFromDate, parsed.validToDate]).toEqual([new Date(from), new Date(until)]);
});

test("no two have one serial number", () => {
  const serials = Array.from({ length: 20 }, () => new X509Certificate(made().certificate).serialNumber);
  expect(new Set(serials).size).toBe(20);
});

test("a TLS client that trusts it and nothing else takes the server for its host", async () => {
  const { certificate, key } = made();
  const server = createServer({ cert: certificate, key }, (socket) => socket.end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const dial = (ca: string): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connect({ port, host: "127.0.0.1", servername: host, ca });
    socket.on("secureConnect", () => {
      resolve(socket.authorized);
    });
    socket.on("error", () => {
      resolve(false);
    });
    return promise.finally(() => socket.destroy());
  };
  expect(await dial(certificate)).toBe(true);
  expect(await dial(made().certificate)).toBe(false);
  server.close();
});
