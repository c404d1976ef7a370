"""`python -m bench.connection_client`: many kept connections to one server, of which all are served in turn.

Sources are spread over 127.0.0.0/8, for one address has but some 28,000 ports. Prints one line of JSON after
each step and waits for a line on standard input before the next, so that the server can be looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from typing import cast

import uvloop

from bench.spread import percentiles

_PER_SOURCE = 2_000
_OPENING, _SERVING = 100, 64
_ANSWER_S = 60.0


class Connection(asyncio.Protocol):
    """One kept connection with one request under way at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        # uvloop's transports are not asyncio's by class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Collect one answer, told by its Content-Length."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        if len(body) >= length and self._answer is not None and not self._answer.done():
            self._answer.set_result(int(lines[0].split()[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        """The server hung up, or we did."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed by the server"))
        self._transport = None

    async def ask(self, request: bytes) -> float:
        """Send one request; milliseconds until its answer.

        Raises:
            ConnectionError: the connection is gone, or the answer is no 200.
        """
        if self._transport is None:
            raise ConnectionResetError("closed by the server")
        self._received = b""
        self._answer = asyncio.get_running_loop().create_future()
        began_s = time.monotonic()
        self._transport.write(request)
        async with asyncio.timeout(_ANSWER_S):
            status = await self._answer
        if status != 200:
            raise ConnectionError(f"status {status}")
        return 1000 * (time.monotonic() - began_s)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Crowd:
    """All connections."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connections: list[Connection] = []
        self._errors: list[str] = []

    async def open(self, count: int, path: str) -> dict[str, object]:
        """Open so many, some at a time, and have each served once."""
        gate, began_s, request = asyncio.Semaphore(_OPENING), time.monotonic(), _request(path)
        loop = asyncio.get_running_loop()

        async def one(number: int) -> float | None:
            source = f"127.0.{1 + number // _PER_SOURCE}.{1 + number % 50}"
            async with gate:
                try:
                    _, connection = await loop.create_connection(
                        Connection, "127.0.0.1", self._port, local_addr=(source, 0)
                    )
                    waited_ms = await connection.ask(request)
                except OSError as error:
                    self._errors.append(f"{type(error).__name__}: {error}")
                    return None
            self._connections.append(connection)
            return waited_ms

        waits = await asyncio.gather(*(one(number) for number in range(count)))
        return self._told(waits, began_s)

    async def serve(self, under_way: int, path: str) -> dict[str, object]:
        """Have every connection served once more, `under_way` at a time."""
        gate, began_s, request = asyncio.Semaphore(under_way), time.monotonic(), _request(path)

        async def one(connection: Connection) -> float | None:
            async with gate:
                try:
                    return await connection.ask(request)
                except OSError as error:
                    self._errors.append(f"{type(error).__name__}: {error}")
                    return None

        waits = await asyncio.gather(*map(one, self._connections))
        return self._told(waits, began_s)

    def _told(self, waits: list[float | None], began_s: float) -> dict[str, object]:
        served = [wait for wait in waits if wait is not None]
        errors, self._errors = self._errors, []
        return {
            "served": len(served),
            "errors": len(errors),
            "first_error": errors[0] if errors else None,
            "took_s": time.monotonic() - began_s,
            **{f"{name}_ms": value for name, value in percentiles(served).items()},
        }

    def close(self) -> None:
        """Hang up on all."""
        for connection in self._connections:
            connection.close()


def _request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


async def run(port: int, path: str, count: int, *, open_path: str, under_way: int) -> None:
    """Open, tell, wait for the word, serve, tell."""
    crowd = Crowd(port)
    print(json.dumps(await crowd.open(count, open_path)), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps(await crowd.serve(under_way, path)), flush=True)
    crowd.close()


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("count", type=int)
    parser.add_argument("--open-path", help="what a new connection asks for; PATH by default")
    parser.add_argument("--under-way", type=int, default=_SERVING)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            run(
                options.port,
                options.path,
                options.count,
                open_path=options.open_path or options.path,
                under_way=options.under_way,
            )
        )


if __name__ == "__main__":
    main()
