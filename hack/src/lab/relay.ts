/**
 * A program that lets TCP connections cross network namespaces, so that the host's network needs no change.
 * A socket belongs to the namespace it was made in: `open` listens in the one it is started in, then hands the
 * listening socket to `run`, started in the other, which accepts there and connects from there.
 *
 *   relay.ts open LISTEN_HOST LISTEN_PORT TARGET_HOST TARGET_PORT TARGET_NETNS LOG   prints PID and PORT
 *   relay.ts run TARGET_HOST TARGET_PORT
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { connect, createServer, Server, type Socket } from "node:net";
import { pipeline } from "node:stream";

function join(client: Socket, host: string, port: number): void {
  client.setNoDelay(true);
  const target = connect({ host, port, noDelay: true });
  // an end that breaks or closes takes the other with it; there is nobody to tell
  pipeline(client, target, client, () => undefined);
}

function serve(server: Server, host: string, port: number): void {
  server.on("connection", (client) => {
    join(client, host, port);
  });
}

function runRelay(host: string, port: number): void {
  process.once("message", (_, handle) => {
    if (!(handle instanceof Server)) throw new Error("the message carries no listening socket");
    serve(handle, host, port);
    process.send?.("serving", undefined, {}, () => {
      process.disconnect();
    });
  });
}

type Opening = {
  readonly listenHost: string;
  readonly listenPort: number;
  readonly target: readonly [host: string, port: string];
  readonly netns: string;
  readonly log: string;
};

async function openRelay(opening: Opening): Promise<void> {
  const server = createServer();
  server.listen(opening.listenPort, opening.listenHost);
  await once(server, "listening");
  const log = openSync(opening.log, "a");
  const child = spawn(
    "nsenter",
    [`--net=${opening.netns}`, process.execPath, import.meta.filename, "run", ...opening.target],
    { detached: true, stdio: ["ignore", log, log, "ipc"] },
  );
  child.send("serve", server);
  await once(child, "message");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : opening.listenPort;
  process.stdout.write(`${String(child.pid)} ${String(port)}\n`);
  server.close();
  child.unref();
  if (child.connected) child.disconnect();
}

const [verb, first = "", second = "", third = "", fourth = "", netns = "", log = ""] = process.argv.slice(2);
if (verb === "run") {
  runRelay(first, Number(second));
} else {
  await openRelay({
    listenHost: first,
    listenPort: Number(second),
    target: [third, fourth],
    netns,
    log,
  });
}
