"""A client on an Ethernet segment, in raw frames. Run inside a network namespace; prints one line of JSON.

arp-client.py latency INTERFACE OWN_IP IP COUNT         request to reply, one after the other, in microseconds
arp-client.py watch INTERFACE OWN_IP IP SECONDS MILLIS  a broadcast request every so often, and every reply with its time
arp-client.py flood INTERFACE OWN_IP RATE SECONDS       broadcast requests for addresses that nobody has
"""
import ipaddress
import json
import select
import socket
import struct
import sys
import time

ARP = 0x0806
REQUEST, REPLY = 1, 2
BROADCAST = b"\xff" * 6


class Client:
    def __init__(self, interface: str, own_ip: str, receives: bool = True):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((interface, ARP if receives else 0))
        self.mac = self.socket.getsockname()[4]
        self.ip = ipaddress.ip_address(own_ip).packed

    def ask(self, target: bytes) -> None:
        packet = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, REQUEST, self.mac, self.ip, bytes(6), target)
        self.socket.send(BROADCAST + self.mac + struct.pack("!H", ARP) + packet)

    def reply(self, frame: bytes, target: bytes) -> str | None:
        """Gives who says that it has the target, if that is what the frame says to this client."""
        if frame[:6] == self.mac and frame[20:22] == b"\x00\x02" and frame[28:32] == target:
            return frame[22:28].hex(":")
        return None


def latency(client: Client, target: bytes, count: int) -> dict:
    client.socket.settimeout(1)
    micros, lost = [], 0
    for _ in range(count):
        start = time.perf_counter_ns()
        client.ask(target)
        try:
            while client.reply(client.socket.recv(128), target) is None:
                pass
            micros.append((time.perf_counter_ns() - start) / 1_000)
        except TimeoutError:
            lost += 1
        time.sleep(0.002)
    micros.sort()
    return {"micros": [round(value, 1) for value in micros], "lost": lost}


def watch(client: Client, target: bytes, seconds: float, millis: float) -> dict:
    client.socket.setblocking(False)
    end = time.time() + seconds
    following, sent, replies = time.time(), [], []
    while (now := time.time()) < end:
        if now >= following:
            client.ask(target)
            sent.append(round(now * 1_000, 2))
            following = max(following + millis / 1_000, now)
        select.select([client.socket], [], [], max(0.0, following - time.time()))
        while True:
            try:
                mac = client.reply(client.socket.recv(128), target)
            except BlockingIOError:
                break
            if mac is not None:
                replies.append([round(time.time() * 1_000, 2), mac])
    return {"sent": sent, "replies": replies}


def flood(client: Client, rate: int, seconds: float) -> dict:
    start, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds:
        while sent < passed * rate:
            # Hosts of the network that the addresses in question are in, and none of these.
            client.ask(bytes([10, 255, sent >> 8 & 0xFF, sent & 0xFF]))
            sent += 1
        time.sleep(0.001)
    return {"sent": sent}


def main() -> None:
    mode, interface, own_ip, *rest = sys.argv[1:]
    client = Client(interface, own_ip, receives=mode != "flood")
    if mode == "flood":
        result = flood(client, int(rest[0]), float(rest[1]))
    elif mode == "latency":
        result = latency(client, ipaddress.ip_address(rest[0]).packed, int(rest[1]))
    else:
        result = watch(client, ipaddress.ip_address(rest[0]).packed, float(rest[1]), float(rest[2]))
    print(json.dumps(result))


main()
