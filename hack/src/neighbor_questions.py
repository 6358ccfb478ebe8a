"""Who has an address: the question in a raw frame, and what answers it. ARP (RFC 826) and Neighbor Discovery (RFC 4861)."""
import ipaddress
import struct

ARP, IPV6 = 0x0806, 0x86DD
BROADCAST = b"\xff" * 6


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Arp:
    """Who has an IPv4 address."""

    ethertype = ARP

    def __init__(self, target: bytes, mac: bytes, ip: bytes):
        body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, mac, ip, bytes(6), target)
        self.question = BROADCAST + mac + struct.pack("!H", ARP) + body
        self.target, self.mac = target, mac

    def answerer(self, frame: bytes) -> bytes | None:
        is_answer = frame[:6] == self.mac and frame[20:22] == b"\0\2" and frame[28:32] == self.target
        return frame[22:28] if is_answer else None


class Ndp:
    """Who has an IPv6 address."""

    ethertype = IPV6

    def __init__(self, target: bytes, mac: bytes, ip: bytes):
        group = bytes.fromhex("ff0200000000000000000001ff") + target[13:]
        message = struct.pack("!BBHI16sBB6s", 135, 0, 0, 0, target, 1, 1, mac)
        pseudo = ip + group + struct.pack("!II", len(message), 58)
        message = message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]
        packet = struct.pack("!IHBB", 6 << 28, len(message), 58, 255) + ip + group + message
        self.question = b"\x33\x33" + group[12:] + mac + struct.pack("!H", IPV6) + packet
        self.target, self.mac = target, mac

    def answerer(self, frame: bytes) -> bytes | None:
        is_answer = frame[:6] == self.mac and frame[54:55] == b"\x88" and frame[62:78] == self.target
        return frame[6:12] if is_answer else None


def question(target: str, mac: bytes, ip: str) -> Arp | Ndp:
    """The question for an address of either family, asked by a host with an address of the same."""
    packed = ipaddress.ip_address(target).packed
    return (Ndp if ":" in target else Arp)(packed, mac, ipaddress.ip_address(ip).packed)
