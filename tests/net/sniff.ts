/** Prints each ARP packet on an interface as a line of JSON; run inside the namespace to watch. */
import { createRequire } from "node:module";
import type { Cap } from "cap";

// The addon is CommonJS and native, so it can't be imported by name.
const require: (name: string) => { readonly Cap: new () => Cap } = createRequire(import.meta.url);
const { Cap: Capturer } = require("cap");

const ETHERNET_HEADER = 14;
const mac = (bytes: Buffer): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
const ip = (bytes: Buffer): string => [...bytes].join(".");

const buffer = Buffer.alloc(65_535);
const capturer = new Capturer();
capturer.open(process.argv[2] ?? "", "arp", 1024 * 1024, buffer);
capturer.on("packet", () => {
  const arp = buffer.subarray(ETHERNET_HEADER);
  const packet = {
    millis: Date.now(),
    destination: mac(buffer.subarray(0, 6)),
    operation: arp.readUInt16BE(6),
    senderMac: mac(arp.subarray(8, 14)),
    senderIp: ip(arp.subarray(14, 18)),
    targetMac: mac(arp.subarray(18, 24)),
    targetIp: ip(arp.subarray(24, 28)),
  };
  process.stdout.write(`${JSON.stringify(packet)}\n`);
});
process.stdout.write("listening\n");
