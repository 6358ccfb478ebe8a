/** HTTPS to the API server over kept-alive connections. Knows no kinds and decides nothing. */
import { Agent, request, type RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** One request; `path` starts with a slash and carries its query. */
export type Call = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** Ends the request when aborted. */
  readonly signal?: AbortSignal;
};

/** What came back, not yet read. */
export type Answer = { readonly status: number; readonly stream: IncomingMessage };

/** Sends calls to one API server. A rejected promise means that no answer came. */
export type Transport = (call: Call) => Promise<Answer>;

/** Longest that a connection may take to be made, in milliseconds; a machine that is switched off refuses none. */
const CONNECT_MILLIS = 3_000;
/** Longest that it may take to be secured after that, in milliseconds: an API server that starts is busy. */
const SECURE_MILLIS = 10_000;
/** Longest that a connection may stay silent before a call fails, in milliseconds. */
const CALL_SILENCE_MILLIS = 15_000;
/** The same for a watch, which the API server sends a bookmark about once a minute: a machine that has gone says no word. */
const WATCH_SILENCE_MILLIS = 180_000;
/** For how long a token is used before it is read again, in milliseconds. */
const TOKEN_MILLIS = 30_000;

/** The transport for the cluster of the kubeconfig, or of the pod that this process runs in. */
export async function connect(): Promise<Transport> {
  const config = new KubeConfig();
  config.loadFromDefault();
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error("no cluster in the kubeconfig; set KUBECONFIG or run inside a pod");
  const { ca, cert, key } = await credentialsOf(config);
  // client-node and KFC make a new agent for each request, and with it a new TLS session; a claim waits for this call.
  const agent = new Agent({ keepAlive: true, scheduling: "lifo", maxFreeSockets: 64, ca, cert, key });
  const server = new URL(cluster.server);
  const base = { agent, hostname: server.hostname, port: server.port === "" ? 443 : Number(server.port) };
  const prefix = server.pathname.replace(/\/$/, "");
  const authorization = renewed(async () => bearerOf(await credentialsOf(config)));
  return async (call) => {
    const headers = headersOf(call, await authorization());
    return send({ ...base, path: `${prefix}${call.path}`, method: call.method, headers }, call);
  };
}

async function credentialsOf(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return options;
}

const bearerOf = (options: RequestOptions): string | undefined => {
  const header = Object.entries(options.headers ?? {}).find(([name]) => name.toLowerCase() === "authorization");
  return header === undefined ? undefined : String(header[1]);
};

/**
 * What `read` gives, read again once it is old: kubelet replaces a pod's token before it ends. Where that fails, those who
 * asked meanwhile are told so, and the next one reads again.
 */
function renewed<T>(read: () => Promise<T>): () => Promise<T> {
  const cell: { value?: Promise<T>; readMillis: number } = { readMillis: 0 };
  const begin = (): Promise<T> => {
    const value = read().catch((error: unknown) => {
      if (cell.value === value) delete cell.value;
      throw error;
    });
    [cell.value, cell.readMillis] = [value, performance.now()];
    return value;
  };
  return () => {
    const isFresh = performance.now() - cell.readMillis <= TOKEN_MILLIS;
    return cell.value !== undefined && isFresh ? cell.value : begin();
  };
}

function headersOf(call: Call, authorization: string | undefined): Record<string, string> {
  return {
    accept: "application/json",
    "user-agent": "berth-operator",
    ...(authorization === undefined ? {} : { authorization }),
    ...bodyHeaders(call),
  };
}

/** The length is a must: Node sends a DELETE's body without one, and the API server takes it for the next request. */
function bodyHeaders({ body, contentType = "application/json" }: Call): Record<string, string> {
  if (body === undefined) return {};
  return { "content-type": contentType, "content-length": String(Buffer.byteLength(body)) };
}

function send(options: RequestOptions, call: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { ...options, ...(call.signal === undefined ? {} : { signal: call.signal }) },
      (stream) => {
        resolve({ status: stream.statusCode ?? 0, stream });
      },
    );
    const silenceMillis = call.signal === undefined ? CALL_SILENCE_MILLIS : WATCH_SILENCE_MILLIS;
    outgoing.setTimeout(silenceMillis, () => {
      outgoing.destroy(new Error(`${call.method} ${call.path}: nothing heard for ${String(silenceMillis)} ms`));
    });
    outgoing.on("error", reject);
    outgoing.on("socket", (socket) => {
      limitConnecting(outgoing, socket);
    });
    outgoing.end(call.body);
  });
}

/** The silence is measured from the connection on, and the kernel tries for two minutes to make one. */
function limitConnecting(outgoing: ClientRequest, socket: Socket): void {
  if (!socket.connecting) return;
  const limit = (millis: number): NodeJS.Timeout =>
    setTimeout(() => {
      outgoing.destroy(new Error(`${outgoing.path}: no connection within ${String(millis)} ms`));
    }, millis);
  let timer = limit(CONNECT_MILLIS);
  const stop = (): void => {
    clearTimeout(timer);
  };
  socket.once("secureConnect", stop).once("close", stop);
  socket.once("connect", () => {
    stop();
    timer = limit(SECURE_MILLIS);
  });
}

/** A transport that connects with its first call, so that the module can be loaded without a cluster. */
export function lazily(): Transport {
  const cell: { transport?: Promise<Transport> } = {};
  const connected = (): Promise<Transport> =>
    (cell.transport ??= connect().catch((error: unknown) => {
      delete cell.transport; // the next call tries again
      throw error;
    }));
  return async (call) => (await connected())(call);
}
