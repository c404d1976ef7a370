"""HTTP/1.1 with bounds on a request's head, which uvicorn leaves to a proxy that may not be there."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 32 * 1024
"""Request line and headers together, beside the piece of data a later request begins in. A token has below
2 KiB, and gateways allow some 60 KiB."""
HEAD_TIMEOUT_S = 15.0
"""From the connection, or from the first byte of a later request, until its head is whole."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
_TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\n"


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses heads that do not end: in bytes, which would fill memory, and in time, which would fill the
    table of connections (Slowloris)."""

    _head_bytes = 0
    _head_open = True
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and see how much of a head there is by now."""
        if self._head_open:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_open and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        if not self._head_open:
            self._head_bytes = 0
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is whole; it may still be one that came in one piece and is too large."""
        self._head_open = False
        self._stop_timer()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEAD_BYTES:
            self._refuse(_TOO_LARGE)
            raise ValueError("the head of the request is too large")
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_open = True
        self._stop_timer()
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._refuse, _TOO_LATE)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, line: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(line + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            self.transport.close()
