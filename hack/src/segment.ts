/** One Ethernet segment in network namespaces: a bridge, hosts on it, and the real announcer on any of them. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { printPlan } from "../../core/announce/plan-text.ts";
import type { Vip } from "../../core/announce/plan-types.ts";
import { buildAnnouncer } from "./announcer.ts";
import { sumOf } from "./metrics-text.ts";
import { attempt, run, until } from "./shell.ts";

const CLIENT = join(import.meta.dirname, "neighbor-client.py");
/** Where a client's solicitations come from; answers go to its MAC address, so that nothing needs to have it. */
const LINK_LOCAL = "fe80::be:1";

/** A host on the segment; its interface is called lan0. */
export type Host = { readonly name: string; readonly namespace: string; readonly mac: string; readonly ip: string };

/** An announcer that runs. */
export type Announcer = {
  readonly host: Host;
  readonly child: ChildProcess;
  /** Where it writes its log. */
  readonly log: string;
  /** Gives it another plan; resolves when it has taken it. */
  readonly plan: (vips: readonly Vip[]) => Promise<void>;
  /** Its Prometheus text. */
  readonly metrics: () => Promise<string>;
  /** The sum of a metric over its labels; 0 while there is none. */
  readonly metric: (name: string, labels?: string) => Promise<number>;
};

/** What a client saw: when it asked, and when it was answered by which MAC address, in milliseconds of the wall clock. */
export type Watched = { readonly sent: readonly number[]; readonly replies: readonly (readonly [number, string])[] };

/** Makes namespaces whose names no other run uses, and removes all of them again. */
export class Segment {
  readonly #prefix = process.env["BERTH_NET_PREFIX"] ?? `bn${process.pid.toString(36)}`;
  readonly #folder = mkdtempSync(join(tmpdir(), "berth-net-"));
  readonly #namespaces: string[] = [];
  readonly #children: ChildProcess[] = [];
  #starts = 0;
  #program: Promise<string> | undefined;

  /** Brings up the bridge in a namespace of its own, and makes the key that all announcers share. */
  async open(): Promise<void> {
    const bridge = await this.#namespace("switch");
    await this.#ip("-n", bridge, "link", "add", "br0", "type", "bridge");
    await this.#ip("-n", bridge, "link", "set", "br0", "up");
    this.key("keys", 1);
  }

  /** Writes a key of hellos into a folder of keys, and gives the folder. */
  key(folder: string, number: number): string {
    const path = join(this.#folder, folder);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, `key-${String(number)}`), randomBytes(32));
    return path;
  }

  /** A host with these addresses, such as 192.168.1.11/24. */
  async host(name: string, ...addresses: readonly string[]): Promise<Host> {
    const namespace = await this.#namespace(name);
    return this.#cable(name, namespace, "lan0", addresses);
  }

  /** A second interface of a host, lan1, on the same switch; a host of its own to whoever pulls its cable. */
  async secondCable(host: Host, name: string): Promise<Host> {
    return this.#cable(name, host.namespace, "lan1", []);
  }

  async #cable(name: string, namespace: string, link: string, addresses: readonly string[]): Promise<Host> {
    const port = `p-${name}`;
    const bridge = this.#nameOf("switch");
    await this.#ip("link", "add", link, "netns", namespace, "type", "veth", "peer", "name", port, "netns", bridge);
    await this.#ip("-n", bridge, "link", "set", port, "master", "br0", "up");
    for (const address of addresses) {
      const isV6 = address.includes(":");
      await this.#ip("-n", namespace, "addr", "add", address, "dev", link, ...(isV6 ? ["nodad"] : []));
    }
    await this.#ip("-n", namespace, "link", "set", link, "up");
    const mac = (await this.#exec(namespace, "cat", `/sys/class/net/${link}/address`)).trim();
    return { name, namespace, mac, ip: (addresses[0] ?? "").split("/")[0] ?? "" };
  }

  /** Changes a host's interface, as `ip link set` does. */
  async setLink(host: Host, ...change: readonly string[]): Promise<void> {
    await this.#ip("-n", host.namespace, "link", "set", "lan0", ...change);
  }

  /** Changes the switch's end of a host's cable: `down` takes the carrier, `nomaster` is a cut that nobody notices. */
  async setPort(host: Host, ...change: readonly string[]): Promise<void> {
    await this.#ip("-n", this.#nameOf("switch"), "link", "set", `p-${host.name}`, ...change);
  }

  /** Starts the announcer on a host, called by the host's namespace, with a plan; resolves when the plan is in force. */
  async announce(
    host: Host,
    vips: readonly Vip[],
    options: { readonly keys?: string; readonly logLevel?: string } = {},
  ): Promise<Announcer> {
    const folder = join(this.#folder, host.name);
    mkdirSync(folder, { recursive: true });
    const [file, log] = [join(folder, "plan.json"), join(folder, `${String(this.#starts++)}.log`)];
    let generation = this.#starts * 1_000;
    const write = (next: readonly Vip[]): void => {
      generation += 1;
      writeFileSync(`${file}.next`, printPlan(generation, { vips: next, rebalanced: {} }, Infinity).join(""));
      renameSync(`${file}.next`, file);
    };
    write(vips);
    const flags = ["--node-name", host.namespace, "--plan-file", file, "--http-listen", "127.0.0.1:17472"];
    flags.push(
      "--hello-keys",
      options.keys ?? join(this.#folder, "keys"),
      "--state-dir",
      folder,
      "--log-level",
      options.logLevel ?? "debug",
    );
    const program = await (this.#program ??= buildAnnouncer());
    const child = spawn("ip", ["netns", "exec", host.namespace, program, ...flags], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.pipe(createWriteStream(log));
    this.#children.push(child);
    const metrics = async (): Promise<string> =>
      (await attempt("ip", ["netns", "exec", host.namespace, "curl", "-s", "http://127.0.0.1:17472/metrics"])).stdout;
    const metric = async (name: string, labels = ""): Promise<number> => sumOf(await metrics(), name, labels);
    const taken = async (): Promise<void> => {
      await until(`plan ${String(generation)} on ${host.name}`, 15_000, 20, async () =>
        (await metric("berth_announcer_plan_generation")) === generation ? true : undefined,
      );
    };
    await taken();
    const plan = async (next: readonly Vip[]): Promise<void> => {
      write(next);
      await taken();
    };
    return { host, child, log, metrics, metric, plan };
  }

  /** A command on a host, whatever its exit code; its standard output. */
  async on(host: Host, ...command: readonly string[]): Promise<string> {
    return (await attempt("ip", ["netns", "exec", host.namespace, ...command])).stdout;
  }

  /** Asks for an address by broadcast every 5 ms for so long. */
  async watch(host: Host, address: string, seconds: number, everyMillis = 5): Promise<Watched> {
    const said = await this.client(host, "watch", address, String(seconds), String(everyMillis));
    return JSON.parse(said) as Watched;
  }

  /** Runs the client in raw frames on a host; what it prints. */
  async client(host: Host, mode: string, ...args: readonly string[]): Promise<string> {
    const ip = args[0]?.includes(":") === true ? LINK_LOCAL : host.ip;
    return this.#exec(host.namespace, "python3", "-B", CLIENT, mode, "lan0", ip, ...args);
  }

  /** Ends everything and removes it. */
  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const namespace of this.#namespaces) await attempt("ip", ["netns", "delete", namespace]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #nameOf(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  async #namespace(name: string): Promise<string> {
    const namespace = this.#nameOf(name);
    await this.#ip("netns", "add", namespace);
    this.#namespaces.push(namespace);
    await this.#ip("-n", namespace, "link", "set", "lo", "up");
    return namespace;
  }

  #exec(namespace: string, ...command: readonly string[]): Promise<string> {
    return run("ip", ["netns", "exec", namespace, ...command]);
  }

  #ip(...args: readonly string[]): Promise<string> {
    return run("ip", args);
  }
}
