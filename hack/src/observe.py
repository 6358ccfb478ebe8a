"""What clients of a Service's address see, every few milliseconds. Run inside a network namespace.

observe.py watch INTERFACE ADDRESS PORT MILLIS  two observers at a time, until standard input ends
observe.py serve PORT                           accepts connections and closes them, for the observers to have someone to reach

The warm observer is a host that has the address in its neighbour table: each probe is a new TCP connection, counted as good when
it is there before the kernel sends its first packet a second time, so that no repetition hides a loss. Probes do not wait for each
other. The cold observer is a host that does not: each probe is an ARP request or Neighbor Solicitation to all, in raw frames from a
MAC address of its own, so that the answers do not correct the warm one's table. Times are milliseconds of the wall clock, those of
answers taken by the kernel.

It says a line of JSON whenever another MAC address answers, and one with everything at the end.
"""
import collections
import ctypes
import errno
import gc
import ipaddress
import json
import os
import select
import socket
import struct
import sys
import time

from neighbor_questions import question

# How long a connection may take. The kernel sends a SYN again after 1 s.
TIMEOUT_SECONDS = 0.9
# The cold observer is a host of its own, behind the same cable.
COLD_MAC = bytes.fromhex("02be0000c01d")
COLD_IP = {4: "192.168.1.251", 6: "fe80::be:c01d"}
SO_ATTACH_FILTER, SO_TIMESTAMPNS = 26, 35
LINGER_NOT = struct.pack("ii", 1, 0)
# Neighbor Advertisements only: next header 58, type 136.
ADVERTISEMENTS = [(0x30, 0, 0, 20), (0x15, 0, 3, 58), (0x30, 0, 0, 54), (0x15, 0, 1, 136), (0x6, 0, 0, 256), (0x6, 0, 0, 0)]


class Cold:
    def __init__(self, interface: str, address: str):
        ip = ipaddress.ip_address(address)
        self.protocol = question(address, COLD_MAC, COLD_IP[ip.version])
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        if ip.version == 6:
            self.let_through(ADVERTISEMENTS)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((interface, self.protocol.ethertype))
        self.socket.setblocking(False)
        self.replies: list[tuple[float, str]] = []

    def let_through(self, instructions: list[tuple[int, int, int, int]]) -> None:
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))
        program = struct.pack("HP", len(instructions), ctypes.addressof(code))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    def ask(self) -> None:
        try:
            self.socket.send(self.protocol.question)
        except OSError:
            pass  # the interface's queue is full: the question counts as one without an answer

    def take_in(self) -> None:
        while True:
            try:
                frame, extra, _, _ = self.socket.recvmsg(128, 64)
            except BlockingIOError:
                return
            mac = self.protocol.answerer(frame)
            if mac is not None:
                seconds, nanos = struct.unpack("qq", extra[0][2])
                self.note(round(seconds * 1_000 + nanos / 1e6, 2), mac.hex(":"))

    def note(self, millis: float, mac: str) -> None:
        if not self.replies or self.replies[-1][1] != mac:
            print(json.dumps({"millis": millis, "answers": mac}), flush=True)
        self.replies.append((millis, mac))


class Warm:
    def __init__(self, address: str, port: int, poll: select.epoll):
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.to = (address, port)
        self.poll = poll
        self.probes: list[list[float | None]] = []
        self.open: dict[int, tuple[socket.socket, int]] = {}
        self.deadlines: collections.deque[tuple[float, int, int]] = collections.deque()

    def ask(self, now: float) -> None:
        probe, index = socket.socket(self.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK), len(self.probes)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.probes.append([round(now * 1_000, 2), None])
        if probe.connect_ex(self.to) != errno.EINPROGRESS:
            probe.close()
            return
        self.open[probe.fileno()] = (probe, index)
        self.deadlines.append((now + TIMEOUT_SECONDS, probe.fileno(), index))
        self.poll.register(probe, select.EPOLLOUT)

    def take_in(self, descriptor: int) -> None:
        probe, index = self.open.pop(descriptor)
        if probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            self.probes[index][1] = round(time.time() * 1_000, 2)
        self.poll.unregister(probe)
        probe.close()

    def give_up(self, now: float) -> None:
        while self.deadlines and self.deadlines[0][0] <= now:
            _, descriptor, index = self.deadlines.popleft()
            if descriptor in self.open and self.open[descriptor][1] == index:
                probe, _ = self.open.pop(descriptor)
                self.poll.unregister(probe)
                probe.close()


def go_first() -> None:
    """Has the observers, and whom they reach, run before all ordinary programs: what keeps them waiting looks like a gap."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        os.nice(-20)


def watch(interface: str, address: str, port: int, millis: float) -> None:
    gc.disable()
    go_first()
    poll = select.epoll()
    cold, warm = Cold(interface, address), Warm(address, port, poll)
    poll.register(cold.socket, select.EPOLLIN)
    poll.register(sys.stdin, select.EPOLLIN)
    following, end, late = time.time(), float("inf"), []
    while (now := time.time()) < end:
        if now >= following and end == float("inf"):
            if now - following > millis / 1_000:
                late.append((round(now * 1_000, 2), round((now - following) * 1_000, 2)))
            cold.ask()
            warm.ask(now)
            following = max(following + millis / 1_000, now)
        warm.give_up(now)
        wait = max(0.0, min(following, end) - time.time()) if end == float("inf") else 0.01
        for descriptor, _ in poll.poll(wait):
            if descriptor == cold.socket.fileno():
                cold.take_in()
            elif descriptor in warm.open:
                warm.take_in(descriptor)
            elif descriptor == sys.stdin.fileno():
                poll.unregister(sys.stdin)
                end = time.time() + TIMEOUT_SECONDS  # for the probes that are on their way
    print(json.dumps({"probes": warm.probes, "replies": cold.replies, "late": late}), flush=True)


def serve(port: int) -> None:
    go_first()
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1_024) as server:
        print("listening", flush=True)
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                pass  # the client has given up meanwhile


def main() -> None:
    mode, *rest = sys.argv[1:]
    if mode == "serve":
        serve(int(rest[0]))
    else:
        watch(rest[0], rest[1], int(rest[2]), float(rest[3]))


main()
