/** The HTTPS server that Pepr makes and keeps to itself. Knows no cluster. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { get } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Server } from "node:tls";

/** On which Node tells of every server that begins to listen. */
const LISTENING = "tracing:net.server.listen:asyncStart";
/** How long the answer to a probe may take, and how long the pause before the next, in milliseconds. */
const PROBE_MILLIS = 2_000;
const PAUSE_MILLIS = 250;

/** The server that `serve` starts. */
export function serverOf(serve: () => void): Server {
  const servers: Server[] = [];
  const note = (message: unknown): void => {
    if (typeof message !== "object" || message === null || !("server" in message)) return;
    if (message.server instanceof Server) servers.push(message.server);
  };
  subscribe(LISTENING, note);
  try {
    serve();
  } finally {
    unsubscribe(LISTENING, note);
  }
  const [server] = servers;
  if (server === undefined) throw new Error("Pepr has started no HTTPS server");
  return server;
}

/** Who a server is to be, and whom its clients trust. */
type Identity = { readonly host: string; readonly authorities: string };

/**
 * Whether the server answers `/healthz` within this time, with a certificate that its clients trust. Pepr binds its routes
 * when it has read its Store, and never where the API server is away at that moment.
 */
export async function isHealthy(server: Server, identity: Identity, withinMillis: number): Promise<boolean> {
  const end = performance.now() + withinMillis;
  while (performance.now() < end) {
    if ((await probe(server, identity)) === 200) return true;
    await sleep(PAUSE_MILLIS);
  }
  return false;
}

/** The status of one answer; undefined where none came. */
function probe(server: Server, { host, authorities }: Identity): Promise<number | undefined> {
  const address = server.address();
  if (!isBound(address)) return Promise.resolve(undefined);
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  // The address that stands for all of this machine's is one of them to whoever connects to it.
  const options = { host: address.address, port: address.port, path: "/healthz", servername: host, ca: authorities };
  const request = get({ ...options, agent: false, timeout: PROBE_MILLIS }, (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  request.on("timeout", () => {
    request.destroy();
  });
  request.on("error", () => {
    resolve(undefined);
  });
  return promise;
}

const isBound = (address: AddressInfo | string | null): address is AddressInfo =>
  address !== null && typeof address === "object";
