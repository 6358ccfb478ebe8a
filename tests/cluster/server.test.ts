import { once } from "node:events";
import { createServer, type Server } from "node:https";
import { connect, type PeerCertificate } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { renewed, servingOf } from "../../cluster/certificates.ts";
import { isHealthy, serverOf } from "../../cluster/server.ts";

const host = "pepr-berth.pepr-system.svc";
const made = (): NonNullable<ReturnType<typeof servingOf>> => servingOf(renewed({}, "all", host, Date.now()))!;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A server as Pepr makes it: nothing of it is handed out. */
function listen({ certificate, key }: ReturnType<typeof made>, statusAt: () => number): void {
  const server = createServer({ cert: certificate, key }, (_, response) => {
    response.writeHead(statusAt()).end();
  });
  servers.push(server.listen(0));
}

async function presented(port: number, ca: string): Promise<PeerCertificate> {
  const socket = connect({ port, ca, servername: host });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

it("the server that Pepr starts is found, and takes a renewed certificate without a restart", async () => {
  const [first, second] = [made(), made()];
  const server = serverOf(() => {
    listen(first, () => 200);
  });
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const before = await presented(port, first.authorities);
  server.setSecureContext({ cert: second.certificate, key: second.key });
  const after = await presented(port, second.authorities);
  expect(after.serialNumber).not.toBe(before.serialNumber);
});

it("where Pepr starts no server, that is said", () => {
  expect(() => serverOf(() => undefined)).toThrow("no HTTPS server");
});

describe("a process", () => {
  it("is healthy once its routes are bound", async () => {
    const serving = made();
    const asked: number[] = [];
    const server = serverOf(() => {
      listen(serving, () => (asked.push(404) > 3 ? 200 : 404));
    });
    expect(await isHealthy(server, { host, authorities: serving.authorities }, 10_000)).toBe(true);
    expect(asked).toHaveLength(4);
  });

  it.each([
    { what: "whose routes are never bound", status: 404, isTrusted: true },
    { what: "whose certificate its clients do not trust", status: 200, isTrusted: false },
  ])("$what is not healthy", async ({ status, isTrusted }) => {
    const serving = made();
    const server = serverOf(() => {
      listen(serving, () => status);
    });
    const { authorities } = isTrusted ? serving : made();
    expect(await isHealthy(server, { host, authorities }, 600)).toBe(false);
  });
});
