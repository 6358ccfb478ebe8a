/** Prints each frame of ARP, NDP and hellos on an interface as a line of JSON; run inside the namespace to watch. */
import { createRequire } from "node:module";
import type { Cap } from "cap";

// The addon is CommonJS and native, so it can't be imported by name.
const require: (name: string) => { readonly Cap: new () => Cap } = createRequire(import.meta.url);
const { Cap: Capturer } = require("cap");

/** The kernel's ring has a slot of 128 KiB for every frame, however short: room for 255 that come before the first is read. */
const RING_BYTES = 32 * 1024 * 1024;

const buffer = Buffer.alloc(65_535);
const capturer = new Capturer();
capturer.open(process.argv[2] ?? "", "arp or icmp6 or ether proto 0x88b5", RING_BYTES, buffer);
capturer.on("packet", (length) => {
  process.stdout.write(`${JSON.stringify({ millis: Date.now(), hex: buffer.toString("hex", 0, length) })}\n`);
});
process.stdout.write("listening\n");
