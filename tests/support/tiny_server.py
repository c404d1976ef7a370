"""A server that does next to nothing, in a process of its own, and can stall once.

    python tests/support/tiny_server.py [stall after seconds] [stall seconds]

It prints its port, serves until its standard input is closed, and then prints what it did as one line of
JSON: `count` of all requests; `cpu_s` it used from the first of them on; `stall_s` (begin and end of the
stall, in unix seconds, or null); `book`: arrival and answer of each of the first 100,000 requests with its
id. The stall begins with the first request after so many seconds since the very first one; whatever arrives
until it ends is answered at its end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

HEAD_END = b"\r\n\r\n"
KEPT = 100_000
"""Requests whose times are kept; of all others only the number."""


class Server:
    """What all connections share."""

    def __init__(self, stall_after_s: float | None, stall_s: float) -> None:
        self.stall_after_s, self.stall_length_s = stall_after_s, stall_s
        self.first_s: float | None = None
        self.first_cpu_s = 0.0
        self.stall_s: tuple[float, float] | None = None
        self.book: list[tuple[int, float, float]] = []
        self.count = 0

    def wait_s(self, now_s: float) -> float:
        """Return how long a request that arrives now waits for its answer."""
        if self.first_s is None:
            self.first_s, self.first_cpu_s = now_s, time.process_time()
        due = self.stall_after_s is not None and now_s - self.first_s >= self.stall_after_s
        if due and self.stall_s is None:
            self.stall_s = (now_s, now_s + self.stall_length_s)
        return max(0.0, self.stall_s[1] - now_s) if self.stall_s else 0.0


class Connection(asyncio.Protocol):
    """Answers each request of one connection, which sends one at a time."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.transport: asyncio.Transport | None = None
        self.held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's only behaves like one

    def data_received(self, data: bytes) -> None:
        self.held += data
        while HEAD_END in self.held:
            _, self.held = self.held.split(HEAD_END, 1)
            server = self.server
            server.count += 1
            if server.stall_after_s is None and server.count > KEPT:
                self.write(server.count)  # nothing to keep or to wait for: as little as there can be
                continue
            now_s = time.time()
            number, wait_s = server.count, server.wait_s(now_s)
            if wait_s > 0:
                asyncio.get_running_loop().call_later(wait_s, self.answer, number, now_s)
            else:
                self.answer(number, now_s)

    def answer(self, number: int, arrived_s: float) -> None:
        if len(self.server.book) < KEPT:
            self.server.book.append((number, arrived_s, time.time()))
        self.write(number)

    def write(self, number: int) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Served-By: tiny-0\r\nX-Request-Id: %d\r\n\r\nok"
                % number
            )


async def serve(server: Server) -> None:
    """Serve until standard input is closed."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", 0, backlog=4096)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    listening.close()
    told = {
        "stall_s": server.stall_s,
        "count": server.count,
        "cpu_s": time.process_time() - server.first_cpu_s,
        "book": server.book,
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]]
    after_s, length_s = (given[0], given[1]) if given else (None, 0.0)
    uvloop.run(serve(Server(after_s, length_s)))
