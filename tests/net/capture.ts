/** Watches a host's interface with libpcap, through the addon `cap`, from a process inside the host's namespace. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { parseJson } from "../../cluster/wire.ts";
import type { Host } from "./segment.ts";

/** An ARP packet as it was on the wire (RFC 826), with when it was seen, in milliseconds of the wall clock. */
export type Arp = {
  readonly millis: number;
  readonly destination: string;
  readonly operation: number;
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetMac: string;
  readonly targetIp: string;
};

/** What a capture has seen so far, and the end of it. */
export type Capture = { readonly seen: readonly Arp[]; readonly stop: () => void };

/** Begins to capture ARP on the host's lan0; resolves when it listens. */
export function capture(host: Host): Promise<Capture> {
  const program = join(import.meta.dirname, "sniff.ts");
  const child = spawn("ip", ["netns", "exec", host.namespace, process.execPath, program, "lan0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const seen: Arp[] = [];
  const stop = (): void => {
    child.kill("SIGKILL");
  };
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", () => {
      reject(new Error("the capture ended"));
    });
    createInterface(child.stdout).on("line", (line) => {
      if (line === "listening") resolve({ seen, stop });
      else seen.push(parseJson<Arp>(line));
    });
  });
}
