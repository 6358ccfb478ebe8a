/** One Ethernet segment in network namespaces: a bridge, hosts on it, and the real announcer on any of them. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseJson } from "../../cluster/wire.ts";
import { printPlan } from "../../core/announce/plan-text.ts";
import type { Vip } from "../../core/announce/plan-types.ts";
import { buildAnnouncer } from "../../hack/src/announcer.ts";
import { attempt, run, until } from "../../hack/src/shell.ts";

/** A host on the segment; its interface is called lan0. */
export type Host = { readonly namespace: string; readonly mac: string };

/** An announcer that runs. */
export type Announcer = {
  readonly child: ChildProcess;
  /** Gives it another plan; resolves when it has taken it. */
  readonly plan: (vips: readonly Vip[]) => Promise<void>;
  /** Its Prometheus text. */
  readonly metrics: () => Promise<string>;
};

/** Makes namespaces whose names no other run uses, and removes all of them again. */
export class Segment {
  readonly #prefix = process.env["BERTH_NET_PREFIX"] ?? `bn${process.pid.toString(36)}`;
  readonly #folder = mkdtempSync(join(tmpdir(), "berth-net-"));
  readonly #namespaces: string[] = [];
  readonly #children: ChildProcess[] = [];

  /** Brings up the bridge in a namespace of its own. */
  async open(): Promise<void> {
    const bridge = await this.#namespace("switch");
    await this.#ip("-n", bridge, "link", "add", "br0", "type", "bridge");
    await this.#ip("-n", bridge, "link", "set", "br0", "up");
  }

  /** A host with this address, such as 192.168.1.11/24. */
  async host(name: string, address: string): Promise<Host> {
    const namespace = await this.#namespace(name);
    const port = `p-${name}`;
    const bridge = this.#nameOf("switch");
    await this.#ip("link", "add", "lan0", "netns", namespace, "type", "veth", "peer", "name", port, "netns", bridge);
    await this.#ip("-n", bridge, "link", "set", port, "master", "br0", "up");
    await this.#ip("-n", namespace, "addr", "add", address, "dev", "lan0");
    await this.#ip("-n", namespace, "link", "set", "lan0", "up");
    const link = parseJson<{ address: string }[]>(await this.#ip("-j", "-n", namespace, "link", "show", "lan0"));
    return { namespace, mac: link[0]!.address };
  }

  /** Changes a host's interface, as `ip link set` does. */
  async setLink(host: Host, ...change: readonly string[]): Promise<void> {
    await this.#ip("-n", host.namespace, "link", "set", "lan0", ...change);
  }

  /** Starts the announcer on a host, called by the host's namespace, with a plan. */
  async announce(host: Host, vips: readonly Vip[]): Promise<Announcer> {
    const file = join(this.#folder, `${host.namespace}.json`);
    let generation = 0;
    const write = (next: readonly Vip[]): void => {
      generation += 1;
      writeFileSync(`${file}.next`, printPlan(generation, { vips: next, rebalanced: {} }).join(""));
      renameSync(`${file}.next`, file);
    };
    write(vips);
    const program = await buildAnnouncer();
    const flags = ["--node-name", host.namespace, "--plan-file", file, "--http-listen", "127.0.0.1:17472"];
    const child = spawn("ip", ["netns", "exec", host.namespace, program, ...flags], { stdio: "ignore" });
    this.#children.push(child);
    const metrics = async (): Promise<string> =>
      (await attempt("ip", ["netns", "exec", host.namespace, "curl", "-s", "http://127.0.0.1:17472/metrics"])).stdout;
    const taken = (): Promise<unknown> =>
      until(`plan ${String(generation)} on ${host.namespace}`, 10_000, 20, async () =>
        (await metrics()).includes(`berth_announcer_plan_generation ${String(generation)}\n`) ? true : undefined,
      );
    await taken();
    return {
      child,
      metrics,
      plan: async (next) => {
        write(next);
        await taken();
      },
    };
  }

  /** A command on a host, whatever its exit code; its standard output. */
  async on(host: Host, ...command: readonly string[]): Promise<string> {
    return (await attempt("ip", ["netns", "exec", host.namespace, ...command])).stdout;
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

  #ip(...args: readonly string[]): Promise<string> {
    return run("ip", args);
  }
}
