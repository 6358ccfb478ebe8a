/** A real HTTPS server on loopback in the API server's place, with a certificate and a kubeconfig of its own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A request as the server got it. */
export type Received = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly connection: number;
};

/** What the server does with a request. */
export type Respond = (received: Received, response: ServerResponse) => void;

const OPENSSL =
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=api -addext subjectAltName=IP:127.0.0.1";

/** The server; `kubeconfig` is the path of a file that leads to it. */
export class HttpsApi {
  readonly received: Received[] = [];
  respond: Respond = (_, response) => response.end("{}");
  readonly #folder = mkdtempSync(join(tmpdir(), "berth-"));
  readonly #server: Server;
  #connections = 0;

  private constructor() {
    const [key, cert] = [join(this.#folder, "key"), join(this.#folder, "cert")];
    execFileSync("openssl", [...OPENSSL.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" });
    const numbers = new WeakMap<object, number>();
    this.#server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      void this.#take(request, response, numbers.get(request.socket) ?? 0);
    });
    this.#server.on("secureConnection", (socket) => {
      this.#connections += 1;
      numbers.set(socket, this.#connections);
    });
  }

  static async listen(): Promise<HttpsApi> {
    const api = new HttpsApi();
    await new Promise<void>((resolve) => {
      api.#server.listen(0, "127.0.0.1", resolve);
    });
    api.#writeKubeconfig();
    return api;
  }

  get kubeconfig(): string {
    return join(this.#folder, "kubeconfig");
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true });
  }

  async #take(request: IncomingMessage, response: ServerResponse, connection: number): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    const received = { method, url, headers, body: Buffer.concat(chunks).toString(), connection };
    this.received.push(received);
    this.respond(received, response);
  }

  #writeKubeconfig(): void {
    const { port } = this.#server.address() as AddressInfo;
    const cluster = { server: `https://127.0.0.1:${String(port)}/prefix/`, "certificate-authority": "cert" };
    const config = {
      "current-context": "a",
      clusters: [{ name: "a", cluster }],
      users: [{ name: "a", user: { token: "secret" } }],
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
    };
    writeFileSync(this.kubeconfig, JSON.stringify(config));
  }
}
