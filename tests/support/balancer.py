"""Sends requests to several service processes as a gateway does, and repeats none.

What it does for a process that is about to end is what Kubernetes and Envoy do together: the process is asked
for its readiness, is sent nothing new once it says no, and a connection whose answer says `Connection: close`
is not used again. What it does not do is try again: every request is sent once, and its outcome is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    route: str = ""
    """Under which name its outcome is counted."""

    def encode(self) -> bytes:
        """The bytes on the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: service"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Reply:
    """One whole answer."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class BrokenAnswerError(Exception):
    """The connection ended before the answer did, or the answer is not one this client understands."""


class _Connection:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> _Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, call: Call) -> Reply:
        self._writer.write(call.encode())
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            status_line, *lines = head.decode("latin-1").rstrip().split("\r\n")
            pairs = [line.partition(":") for line in lines]
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            if "transfer-encoding" in headers:
                raise BrokenAnswerError("an answer in chunks")
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        except asyncio.IncompleteReadError as error:
            raise BrokenAnswerError(f"ended after {len(error.partial)} bytes") from None
        return Reply(int(status_line.split()[1]), headers, body)

    def close(self) -> None:
        self._writer.close()


class Pod:
    """One process, as the balancer knows it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.ready = True
        self.idle: list[_Connection] = []
        self.busy = 0
        """Requests under way."""
        self.deserted = asyncio.Event()
        """Set once it is not ready and nothing is under way to it any more."""

    def look(self) -> None:
        """See whether it is deserted."""
        if self.ready:
            self.deserted.clear()
        elif self.busy == 0:
            self.deserted.set()

    def drop_idle(self) -> None:
        """Close the connections nobody uses now."""
        while self.idle:
            self.idle.pop().close()


class Balancer:
    """Takes turns between the pods that are ready; where none is, between all that live.

    Args:
        probe_every_s: pause between two questions for a pod's readiness; None asks none.
        timeout_s: longest wait for an answer; such a request has failed.
    """

    def __init__(self, *, probe_every_s: float | None = None, timeout_s: float = 120) -> None:
        self._probe_every_s = probe_every_s
        self._timeout_s = timeout_s
        self._pods: list[Pod] = []
        self._turn = 0
        self._probes: list[asyncio.Task[None]] = []

    def add(self, port: int) -> Pod:
        """Take a pod into rotation that has said it is ready."""
        pod = Pod(port)
        self._pods.append(pod)
        if self._probe_every_s is not None:
            self._probes.append(asyncio.create_task(self._probe(pod, self._probe_every_s)))
        return pod

    async def send(self, call: Call) -> Reply:
        """Send it once, to the pod whose turn it is.

        Raises:
            OSError, BrokenAnswerError, TimeoutError: there is no answer.
        """
        pods = [pod for pod in self._pods if pod.ready] or self._pods
        pod = pods[self._turn % len(pods)]
        self._turn += 1
        pod.busy += 1
        try:
            return await self._ask(pod, call)
        finally:
            pod.busy -= 1
            pod.look()

    async def close(self) -> None:
        """Close every connection that is not in use."""
        for probe in self._probes:
            probe.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)
        for pod in self._pods:
            pod.drop_idle()

    async def _ask(self, pod: Pod, call: Call) -> Reply:
        async with asyncio.timeout(self._timeout_s):
            connection = pod.idle.pop() if pod.idle else await _Connection.open(pod.port)
            kept = False
            try:
                reply = await connection.ask(call)
                kept = pod.ready and reply.headers.get("connection", "") != "close"
            finally:
                if kept:
                    pod.idle.append(connection)
                else:
                    connection.close()
        return reply

    async def _probe(self, pod: Pod, every_s: float) -> None:
        """Ask until the pod takes no connections any more; one that is ready again is sent requests again."""
        question = Call("GET", "/readyz", {"Connection": "close"})
        while True:
            await asyncio.sleep(every_s)
            try:
                connection = await _Connection.open(pod.port)
            except OSError:
                pod.ready = False
                pod.look()
                self._pods.remove(pod)
                return
            try:
                pod.ready = (await connection.ask(question)).status == 200
            except (OSError, BrokenAnswerError):
                pod.ready = False
            finally:
                connection.close()
            pod.look()
            if not pod.ready:
                pod.drop_idle()
