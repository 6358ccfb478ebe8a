/** Frames as they were on the wire: ARP (RFC 826), Neighbor Discovery (RFC 4861) and hellos, as values. */

type Seen = { readonly millis: number; readonly destination: string; readonly source: string };

/** An ARP packet, with when it was seen, in milliseconds of the wall clock. */
export type Arp = Seen & {
  readonly kind: "arp";
  readonly operation: number;
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetMac: string;
  readonly targetIp: string;
};

/** A Neighbor Advertisement. */
export type Advertisement = Seen & {
  readonly kind: "advertisement";
  readonly senderIp: string;
  readonly targetIp: string;
  readonly destinationIp: string;
  readonly hopLimit: number;
  readonly isSolicited: boolean;
  readonly overrides: boolean;
  /** The Target Link-Layer Address option; empty when left out. */
  readonly targetMac: string;
};

/** A hello, as bytes. */
export type Hello = Seen & { readonly kind: "hello"; readonly hex: string };

export type Frame = Arp | Advertisement | Hello;

const mac = (bytes: Buffer): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
const ipv4 = (bytes: Buffer): string => [...bytes].join(".");
const ipv6 = (bytes: Buffer): string => {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
};

/** The frame, or nothing when it is of no kind that the tests look at. */
export function readFrame(millis: number, bytes: Buffer): Frame | undefined {
  const seen = { millis, destination: mac(bytes.subarray(0, 6)), source: mac(bytes.subarray(6, 12)) };
  const body = bytes.subarray(14);
  switch (bytes.readUInt16BE(12)) {
    case 0x0806:
      return body.length < 28 ? undefined : readArp(seen, body);
    case 0x88b5:
      return { ...seen, kind: "hello", hex: body.toString("hex") };
    case 0x86dd:
      return body.length >= 64 && body[40] === 136 ? readAdvertisement(seen, body) : undefined;
    default:
      return undefined;
  }
}

const readArp = (seen: Seen, arp: Buffer): Arp => ({
  ...seen,
  kind: "arp",
  operation: arp.readUInt16BE(6),
  senderMac: mac(arp.subarray(8, 14)),
  senderIp: ipv4(arp.subarray(14, 18)),
  targetMac: mac(arp.subarray(18, 24)),
  targetIp: ipv4(arp.subarray(24, 28)),
});

const readAdvertisement = (seen: Seen, packet: Buffer): Advertisement => ({
  ...seen,
  kind: "advertisement",
  senderIp: ipv6(packet.subarray(8, 24)),
  destinationIp: ipv6(packet.subarray(24, 40)),
  hopLimit: packet.readUInt8(7),
  isSolicited: (packet.readUInt8(44) & 0x40) !== 0,
  overrides: (packet.readUInt8(44) & 0x20) !== 0,
  targetIp: ipv6(packet.subarray(48, 64)),
  targetMac: packet.length >= 72 && packet[64] === 2 ? mac(packet.subarray(66, 72)) : "",
});
