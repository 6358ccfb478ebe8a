"""A client on an Ethernet segment, in raw frames. Run inside a network namespace; prints one line of JSON.

neighbor-client.py latency INTERFACE OWN_IP IP COUNT         request to reply, one after the other, in microseconds
neighbor-client.py watch INTERFACE OWN_IP IP SECONDS MILLIS  a request to all every so often, and every reply with its time; of either family
neighbor-client.py flood INTERFACE OWN_IP RATE SECONDS       broadcast requests for addresses that nobody has
"""
import json
import select
import socket
import sys
import time

from neighbor_questions import question

class Client:
    def __init__(self, interface: str, own_ip: str, target: str, receives: bool = True):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.bind((interface, 0))
        self.mac, self.ip = self.socket.getsockname()[4], own_ip
        self.protocol = question(target, self.mac, own_ip)
        if receives:
            self.socket.bind((interface, self.protocol.ethertype))

    def ask(self) -> None:
        self.socket.send(self.protocol.question)

    def answerer(self) -> str | None:
        """Gives who says that it has the target, if that is what the next frame says to this client."""
        mac = self.protocol.answerer(self.socket.recv(128))
        return None if mac is None else mac.hex(":")


def latency(client: Client, count: int) -> dict:
    client.socket.settimeout(1)
    micros, lost = [], 0
    for _ in range(count):
        start = time.perf_counter_ns()
        client.ask()
        try:
            while client.answerer() is None:
                pass
            micros.append((time.perf_counter_ns() - start) / 1_000)
        except TimeoutError:
            lost += 1
        time.sleep(0.002)
    micros.sort()
    return {"micros": [round(value, 1) for value in micros], "lost": lost}


def watch(client: Client, seconds: float, millis: float) -> dict:
    client.socket.setblocking(False)
    end = time.time() + seconds
    following, sent, replies = time.time(), [], []
    while (now := time.time()) < end:
        if now >= following:
            client.ask()
            sent.append(round(now * 1_000, 2))
            following = max(following + millis / 1_000, now)
        select.select([client.socket], [], [], max(0.0, following - time.time()))
        while True:
            try:
                mac = client.answerer()
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
            client.protocol = question(f"10.255.{sent >> 8 & 0xFF}.{sent & 0xFF}", client.mac, client.ip)
            client.ask()
            sent += 1
        time.sleep(0.001)
    return {"sent": sent}


def main() -> None:
    mode, interface, own_ip, *rest = sys.argv[1:]
    if mode == "flood":
        result = flood(Client(interface, own_ip, own_ip, receives=False), int(rest[0]), float(rest[1]))
    elif mode == "latency":
        result = latency(Client(interface, own_ip, rest[0]), int(rest[1]))
    else:
        result = watch(Client(interface, own_ip, rest[0]), float(rest[1]), float(rest[2]))
    print(json.dumps(result))


main()
