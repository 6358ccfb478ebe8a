/** Starting relays between the host and the control plane's namespace. */
import { join } from "node:path";
import { run } from "../shell.ts";
import { netnsPath, logPath, type Paths } from "./paths.ts";
import { joining, startTicksOf } from "./processes.ts";
import type { Part } from "./record.ts";

const PROGRAM = join(import.meta.dirname, "relay.ts");

export type Relay = { readonly part: Part; readonly port: number };

export type Ends = {
  readonly name: string;
  readonly listenHost: string;
  /** 0 takes any free port. */
  readonly listenPort: number;
  readonly targetHost: string;
  readonly targetPort: number;
};

/** Namespaces in which connections are accepted and made. */
type Way = { readonly from: string; readonly to: string };

async function openRelay(paths: Paths, cgroup: string, ends: Ends, way: Way): Promise<Relay> {
  const command = joining(cgroup, [
    ...["nsenter", `--net=${way.from}`, process.execPath, PROGRAM, "open"],
    ...[ends.listenHost, String(ends.listenPort), ends.targetHost, String(ends.targetPort)],
    ...[way.to, logPath(paths, ends.name)],
  ]);
  const [pid = 0, port = 0] = (await run("sh", command)).trim().split(" ").map(Number);
  const startTicks = startTicksOf(pid);
  if (startTicks === undefined) throw new Error(`start ${ends.name}; see ${logPath(paths, ends.name)}`);
  return { part: { name: ends.name, pid, startTicks }, port };
}

const hostNetns = (): string => `/proc/${String(process.pid)}/ns/net`;

/** A port of the host that leads into the control plane's namespace. */
export const relayFromHost = (paths: Paths, cgroup: string, ends: Ends): Promise<Relay> =>
  openRelay(paths, cgroup, ends, { from: hostNetns(), to: netnsPath(paths, "control") });

/** A port in the control plane's namespace that leads to the host. */
export const relayToHost = (paths: Paths, cgroup: string, ends: Ends): Promise<Relay> =>
  openRelay(paths, cgroup, ends, { from: netnsPath(paths, "control"), to: hostNetns() });
