"""A server that answers each connection by a script, byte for byte, and keeps what it was sent."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

Step = bytes | float | Callable[[socket.socket], None]
"""What is done after a request: bytes are sent, of a number so many seconds are let pass."""
_GRACE_S = 30.0


def reset(connection: socket.socket) -> None:
    """End the connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection: socket.socket) -> None:
    """Close the connection."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


class ScriptedServer:
    """Serves on a free port of this machine until it is left.

    Args:
        steps: what follows each request on a connection.
        tls: makes the connections secure.
        greedy: whether a request's body is read before the first step.
    """

    def __init__(self, *steps: Step, tls: ssl.SSLContext | None = None, greedy: bool = True) -> None:
        self._steps: Sequence[Step] = steps
        self._tls, self._greedy = tls, greedy
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listening.getsockname()[1])
        self.requests: list[bytes] = []
        """Every request, head and body, in the order in which they came."""
        self.connections = 0
        self._open: list[socket.socket] = []
        self._left = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def open_connections(self) -> int:
        """How many connections are served at this moment."""
        return sum(thread.is_alive() for thread in self._threads[1:])

    def __enter__(self) -> ScriptedServer:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            hang_up(connection)
        for thread in self._threads:
            thread.join(_GRACE_S)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            self.connections += 1
            while self._take(connection):
                for step in self._steps:
                    if isinstance(step, bytes):
                        connection.sendall(step)
                    elif isinstance(step, int | float):
                        self._left.wait(step)
                    else:
                        step(connection)

    def _take(self, connection: socket.socket) -> bool:
        """Read one request; False when there is none any more."""
        held = b""
        while b"\r\n\r\n" not in held:
            held += (part := connection.recv(65_536))
            if not part:
                return False
        head, _, body = held.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while self._greedy and len(body) < int(fields.get(b"content-length", 0)):
            body += connection.recv(65_536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return True
