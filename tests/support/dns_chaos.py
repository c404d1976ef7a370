"""Chaos Mesh's DNS server as the catalogue makes it, the server behind it, and who asks."""

from __future__ import annotations

import ipaddress
import signal
import socket
import struct
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUDPServer
from threading import Thread
from typing import cast

import grpc
from support.children import answers, free_port, stop, wait_until

A, AAAA, MX = 1, 28, 15
NOERROR, SERVFAIL = 0, 2
BEHIND = "10.96.0.99"
"""What the server behind says of every name."""

DONE = b"\x08\x01"
"""DNSChaosResponse with `result: true`, without which Chaos Mesh's controller asks again."""


@dataclass(frozen=True)
class Answer:
    """What a question was answered: the code of RFC 1035 and the addresses."""

    code: int
    addresses: tuple[str, ...] = ()


class _Behind(BaseRequestHandler):
    def handle(self) -> None:
        data, line = cast("tuple[bytes, socket.socket]", self.request)
        asked = data[12 : data.index(b"\0", 12) + 5]
        is_a = asked[-4:-2] == struct.pack("!H", A)
        head = data[:2] + struct.pack("!HHHHH", 0x8180, 1, int(is_a), 0, 0)
        record = struct.pack("!HHHIH4s", 0xC00C, A, 1, 30, 4, socket.inet_aton(BEHIND)) if is_a else b""
        line.sendto(head + asked + record, self.client_address)


@contextmanager
def server_behind() -> Generator[int]:
    """Run a server on 127.0.0.1 that knows every name; its port."""
    with ThreadingUDPServer(("127.0.0.1", 0), _Behind) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class DnsServer:
    """The running server: where it takes questions, orders, and says that it is well."""

    port: int
    orders: int
    health: int

    def ask(self, name: str, *, source: str, kind: int = A) -> Answer:
        """Ask once over UDP from `source`, an address of this machine."""
        words = [each.encode() for each in name.rstrip(".").split(".")]
        labels = b"".join(bytes([len(each)]) + each for each in words)
        asked = labels + b"\0" + struct.pack("!HH", kind, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.bind((source, 0))
            line.settimeout(20)
            line.sendto(struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + asked, ("127.0.0.1", self.port))
            data = line.recv(4096)
        return _read(data, 12 + len(asked))

    def order(self, method: str, **parts: str | list[str] | dict[str, str]) -> bytes:
        """Call a method of `pb.DNS`; the answer as it came.

        Raises:
            grpc.RpcError: it was refused.
        """
        with grpc.insecure_channel(f"127.0.0.1:{self.orders}") as channel:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/pb.DNS/{method}")
            return call(_message(parts), timeout=60)

    def fault(self, name: str, pod: str, action: str, *patterns: str) -> bytes:
        """Ask as the controller does: one pod a call."""
        place = {"namespace": "tidegate", "name": pod}
        return self.order("SetDNSChaos", name=name, pods=place, action=action, patterns=list(patterns))

    def lift(self, name: str) -> bytes:
        """End an experiment."""
        return self.order("CancelDNSChaos", name=name)


_FIELDS = {"name": 1, "pods": 2, "action": 3, "patterns": 6}
_POD_FIELDS = {"namespace": 1, "name": 2}


def _message(parts: dict[str, str | list[str] | dict[str, str]]) -> bytes:
    """Encode as protobuf does: all that these messages hold are texts and messages of texts."""
    made = b""
    for name, value in parts.items():
        if isinstance(value, dict):
            made += _field(
                _FIELDS[name],
                b"".join(_field(_POD_FIELDS[key], text.encode()) for key, text in value.items()),
            )
        else:
            for text in [value] if isinstance(value, str) else value:
                made += _field(_FIELDS[name], text.encode())
    return made


def _field(number: int, data: bytes) -> bytes:
    assert len(data) < 128, "longer lengths take more than one byte"
    return bytes([number << 3 | 2, len(data)]) + data


def _read(data: bytes, at: int) -> Answer:
    flags, count = struct.unpack("!2xH2xH", data[:8])
    addresses: list[str] = []
    for _ in range(count):
        while data[at] not in (0, 0xC0):
            at += data[at] + 1
        at += 1 if data[at] == 0 else 2
        (length,) = struct.unpack("!8xH", data[at : at + 10])
        addresses.append(str(ipaddress.ip_address(data[at + 10 : at + 10 + length])))
        at += 10 + length
    return Answer(flags & 0xF, tuple(addresses))


@contextmanager
def dns_server(
    program: Path, corefile: str, kubeconfig: Path, behind: int, folder: Path
) -> Generator[DnsServer]:
    """Run the server with the Corefile of the layer, moved to free ports of 127.0.0.1.

    Args:
        program: the server.
        corefile: as the layer has it.
        kubeconfig: the API server to ask for pods.
        behind: port of the server that other questions are sent on to.
        folder: for its files.
    """
    made = DnsServer(free_port(), free_port(), free_port())
    moved = (
        (".:5353 {", f".:{made.port} {{\n    bind 127.0.0.1"),
        ("health", f"health 127.0.0.1:{made.health}"),
        ("grpcport 9288", f"grpcport {made.orders}\n        kubeconfig {kubeconfig} c"),
        ("/etc/resolv.conf", f"127.0.0.1:{behind}"),
    )
    for old, new in moved:
        assert corefile.count(old) == 1, f"the Corefile has changed: {old}"
        corefile = corefile.replace(old, new)
    (folder / "Corefile").write_text(corefile)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([str(program), "-conf", str(folder / "Corefile")], stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or answers(made.health), what="the DNS server")
        assert process.poll() is None, (folder / "server.log").read_text()
        yield made
    finally:
        stop(process, signal.SIGTERM, within_s=60)
