/**
 * Looks into a running Node process through the inspector that SIGUSR1 opens (Node's documentation, "Debugger"), which
 * listens on loopback in the network of the process alone: run as a program there, `inspector.ts heap` prints the bytes in
 * use after a collection, `inspector.ts profile SECONDS` a CPU profile.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { pick, pickList, pickNumber, pickText } from "../lab/json.ts";
import { until } from "../shell.ts";

const LIST = "http://127.0.0.1:9229/json/list";

/** One conversation with the inspector: methods in, results out. */
type Session = { readonly call: (method: string, params?: object) => Promise<unknown>; readonly close: () => void };

async function open(): Promise<Session> {
  const url = await until("the inspector", 5_000, 50, async () => {
    const answer = await fetch(LIST).catch(() => undefined);
    const list: unknown = await answer?.json();
    return pickText(pickList({ list }, "list")[0], "webSocketDebuggerUrl") || undefined;
  });
  const socket = new WebSocket(url);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => {
      resolve();
    });
    socket.addEventListener("error", () => {
      reject(new Error(`open ${url}`));
    });
  });
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener("message", ({ data }) => {
    const message: unknown = JSON.parse(String(data));
    waiting.get(pickNumber(message, "id") ?? 0)?.(pick(message, "result"));
  });
  return {
    call: (method, params = {}) =>
      new Promise((resolve) => {
        const id = waiting.size + 1;
        waiting.set(id, resolve);
        socket.send(JSON.stringify({ id, method, params }));
      }),
    close: () => {
      socket.close();
    },
  };
}

async function heap({ call }: Session): Promise<unknown> {
  await call("HeapProfiler.enable");
  // Twice: what the first one finalizes, the second one frees.
  for (let time = 0; time < 2; time += 1) await call("HeapProfiler.collectGarbage");
  await call("HeapProfiler.disable");
  return pickNumber(await call("Runtime.getHeapUsage"), "usedSize");
}

async function profile({ call }: Session, seconds: number): Promise<unknown> {
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: 500 });
  await call("Profiler.start");
  await sleep(seconds * 1000);
  return pick(await call("Profiler.stop"), "profile");
}

const [verb, seconds = "10"] = process.argv.slice(2);
const session = await open();
const result = verb === "profile" ? await profile(session, Number(seconds)) : await heap(session);
process.stdout.write(`${JSON.stringify(result)}\n`, () => {
  session.close();
});
