"""A small API server on 127.0.0.1 that keeps objects and speaks list and watch, and can be made to fail.

Real sockets, real HTTP: what it keeps, versions, replays and forgets follows the watch protocol; how its
streams break is up to the test.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
CLOSE, RESET = b"\0close", b"\0reset"


@dataclass
class Watch:
    """One open stream."""

    path: str
    asked: str
    queue: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue[bytes])


@dataclass
class ApiServer:
    """Objects by list path and name, the log of their changes, and the streams that follow it."""

    version: int = 100
    oldest: int = 100
    """Changes up to this version are forgotten."""
    gone_status: bool = False
    """Whether a forgotten version is told by status 410, instead of by an error event."""
    page: int = 500
    answer_after_s: float = 0.0
    unavailable: bool = False
    objects: dict[str, dict[str, Json]] = field(default_factory=dict[str, dict[str, Json]])
    log: list[tuple[int, str, Json]] = field(default_factory=list[tuple[int, str, Json]])
    watches: list[Watch] = field(default_factory=list[Watch])
    asked: list[str] = field(default_factory=list[str])
    """Targets of all requests so far."""
    answers: dict[str, Json] = field(default_factory=dict[str, Json])
    """What is answered on other paths; a path of the form `path?query=...` is matched first."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Headers of the last request, lower case."""
    url: str = ""
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.break_streams(CLOSE)
        await asyncio.sleep(0)

    # What happens in the cluster

    def put(self, path: str, name: str, **parts: Any) -> Json:
        """Create or change an object."""
        self.version += 1
        held = self.objects.setdefault(path, {})
        change = "MODIFIED" if name in held else "ADDED"
        uid = held[name]["metadata"]["uid"] if name in held else f"uid-{name}-{self.version}"
        metadata = {"name": name, "uid": uid, "resourceVersion": str(self.version), "managedFields": ["x"]}
        held[name] = {"metadata": metadata, "spec": {}, "status": {}, **parts}
        self._tell(change, path, held[name])
        return held[name]

    def remove(self, path: str, name: str) -> None:
        self.version += 1
        gone = self.objects[path].pop(name)
        self._tell(
            "DELETED", path, {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self.version)}}
        )

    def _tell(self, change: str, path: str, subject: Json) -> None:
        self.log.append((self.version, path, {"type": change, "object": subject}))
        self.send(path, {"type": change, "object": subject})

    def bookmark(self, path: str) -> None:
        self.version += 1
        body = {"metadata": {"resourceVersion": str(self.version)}}
        self.send(path, {"type": "BOOKMARK", "object": body})

    def forget(self) -> None:
        """Forget all changes so far, as compaction does."""
        self.version += 1
        self.oldest = self.version

    # What happens to the streams

    def send(self, path: str, event: Json) -> None:
        self.send_raw(path, json.dumps(event).encode() + b"\n")

    def send_raw(self, path: str, data: bytes) -> None:
        for watch in self.watches:
            if watch.path == path:
                watch.queue.put_nowait(data)

    def break_streams(self, how: bytes, path: str | None = None) -> None:
        for watch in self.watches:
            if path in (None, watch.path):
                watch.queue.put_nowait(how)

    def open_streams(self, path: str) -> int:
        return sum(watch.path == path for watch in self.watches)

    # HTTP

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                target = line.split()[1].decode()
                self.headers = {}
                while (header := await reader.readline()).strip():
                    name, _, value = header.decode().partition(":")
                    self.headers[name.lower()] = value.strip()
                self.asked.append(target)
                if not await self._answer(target, writer):
                    return
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _answer(self, target: str, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection is of further use."""
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        await asyncio.sleep(self.answer_after_s)
        if self.unavailable:
            _send(writer, 503, {"code": 503})
        elif query.get("watch") == "1":
            return await self._stream(url.path, query, writer)
        elif f"{url.path}?query={query.get('query')}" in self.answers:
            _send(writer, 200, self.answers[f"{url.path}?query={query['query']}"])
        elif url.path in self.answers:
            _send(writer, 200, self.answers[url.path])
        elif url.path.endswith(("/query", "/services")) or "metrics.k8s.io" in url.path:
            _send(writer, 404, {"code": 404})
        else:
            _send(writer, 200, self._list(url.path, query))
        await writer.drain()
        return True

    def _list(self, path: str, query: dict[str, str]) -> Json:
        items = [item for _, item in sorted(self.objects.get(path, {}).items())]
        first = int(query.get("continue", "0"))
        metadata = {"resourceVersion": str(self.version)}
        if first + self.page < len(items):
            metadata["continue"] = str(first + self.page)
        return {"metadata": metadata, "items": items[first : first + self.page]}

    async def _stream(self, path: str, query: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        since = int(query["resourceVersion"])
        if since < self.oldest and self.gone_status:
            _send(writer, 410, {"code": 410})
            return True
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        watch = Watch(path, query["resourceVersion"])
        if since < self.oldest:
            gone = {"type": "ERROR", "object": {"code": 410, "message": f"too old resource version: {since}"}}
            watch.queue.put_nowait(json.dumps(gone).encode() + b"\n")
            watch.queue.put_nowait(CLOSE)
        for version, where, event in self.log:
            if where == path and version > since:
                watch.queue.put_nowait(json.dumps(event).encode() + b"\n")
        self.watches.append(watch)
        try:
            while (data := await watch.queue.get()) not in (CLOSE, RESET):
                writer.write(b"%x\r\n%s\r\n" % (len(data), data))
                await writer.drain()
        finally:
            self.watches.remove(watch)
        if data == RESET:
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        writer.write(b"0\r\n\r\n")
        return True


def _send(writer: asyncio.StreamWriter, status: int, body: Json) -> None:
    data = json.dumps(body).encode()
    head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % (status, len(data)) + data)


def write_kubeconfig(path: Path, server: str, **user: Any) -> Path:
    """Write a kubeconfig for `server`; JSON is YAML."""
    config = {
        "current-context": "c",
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "secret", **user}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
    }
    path.write_text(json.dumps(config))
    return path


@contextmanager
def serving(server: ApiServer) -> Generator[asyncio.AbstractEventLoop]:
    """Serve from a thread, for tests whose observer is a process; calls go in by `call_soon_threadsafe`."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(server.start())
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.run_until_complete(_end_tasks())
        loop.close()


async def _end_tasks() -> None:
    """End the connections that are still open."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
