from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.core.settings import load_settings
from app.server import http_options
from app.servers import protocol

Scenario = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


def connected(scenario: Scenario) -> None:
    """Run the scenario at the other end of one connection."""

    async def main() -> None:
        config = uvicorn.Config(hello, **http_options(load_settings(), lifespan=False))
        config.load()
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: protocol.BoundedHttpProtocol(config, state, {}), "127.0.0.1", 0
        )
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            await scenario(reader, writer)
            writer.close()
            await writer.wait_closed()

    asyncio.run(main())
    gc.collect()


def test_a_head_that_does_not_come_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.01)

    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET / HTTP/1.1\r\nHost")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")

    connected(scenario)


def test_each_head_has_its_own_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_HEAD_BYTES", 1000)

    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        small = b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 700 + b"\r\n\r\n"
        for _ in range(5):
            writer.write(small)
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")

    connected(scenario)


class Transport(asyncio.Transport):
    """The other end as a list of what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_a_head_in_pieces_is_refused_when_it_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_HEAD_BYTES", 1000)

    async def main() -> None:
        config = uvicorn.Config(hello, **http_options(load_settings(), lifespan=False))
        config.load()
        transport = Transport()
        other = protocol.BoundedHttpProtocol(config, ServerState(), {})
        other.connection_made(transport)
        pieces = 0
        other.data_received(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
        while not transport.closed:
            other.data_received(b"a" * 100)
            pieces += 1
        assert pieces == 10
        assert transport.written.startswith(b"HTTP/1.1 431 ")
        other.connection_lost(None)

    asyncio.run(main())


def test_a_large_head_in_one_piece_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_HEAD_BYTES", 1000)

    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 1100 + b"\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b"hello" not in answer

    connected(scenario)
