"""Serves an ASGI application and ends politely."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import Server

from app.core.lifecycle import Lifecycle
from app.core.logging import get_logger
from app.core.settings import Settings
from app.servers.protocol import BoundedHttpProtocol

_log = get_logger(__name__)


def _websocket_protocol(**arguments: Any) -> asyncio.Protocol:
    """Stands for uvicorn's WebSocket protocol and imports it at the first handshake: most pods see none."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    return WebSocketsSansIOProtocol(**arguments)


def http_options(
    settings: Settings, *, lifespan: bool = True, graceful_timeout_s: int | None = None
) -> dict[str, Any]:
    """uvicorn's options, the same for the web process, Gunicorn's workers and the worker's small server."""
    return {
        # Gunicorn's workers make their loop by this; all others are given one.
        "loop": settings.loop,
        "http": BoundedHttpProtocol,
        "ws": cast("type[asyncio.Protocol]", _websocket_protocol),
        # Followers only listen; a kilobyte is more than they have to say.
        "ws_max_size": 1024,
        "ws_max_queue": 4,
        "ws_per_message_deflate": False,
        "lifespan": "on" if lifespan else "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        # The gateway's word about addresses and schemes is not used, so nobody's is believed.
        "proxy_headers": False,
        "timeout_keep_alive": settings.keep_alive_s,
        # What the drain takes is gone from the time for the requests.
        "timeout_graceful_shutdown": graceful_timeout_s
        or max(1, int(settings.graceful_timeout_s - settings.drain_for_s)),
    }


class _AnnouncingServer(Server):
    """Logs its address once it takes connections there, and not before."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            _log.info("serving", host=host, port=port)


class DrainingServer(_AnnouncingServer):
    """On SIGTERM keeps serving for a while, then finishes what is under way, then ends by itself.

    1. Readiness turns to 503 and every answer carries `Connection: close` (see `Lifecycle`).
    2. For `drain_s` the server still accepts: callers that have not heard yet get an answer.
    3. The listener closes, idle connections close, running requests may finish until the time is up.

    A second signal skips step 2. uvicorn's own handling would close idle connections at once, and would
    raise the signal again at the end, which makes a clean stop look like a kill.
    """

    def __init__(self, config: Config, lifecycle: Lifecycle, *, drain_s: float) -> None:
        super().__init__(config)
        self.signal: signal.Signals | None = None
        self._lifecycle = lifecycle
        self._drain_s = drain_s

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle SIGTERM and SIGINT in the loop for as long as the server runs."""
        loop = asyncio.get_running_loop()
        handled = (signal.SIGTERM, signal.SIGINT)
        for number in handled:
            loop.add_signal_handler(number, self.begin_drain, number)
        try:
            yield
        finally:
            for number in handled:
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """uvicorn's own entry for signals, kept to the same meaning."""
        self.begin_drain(signal.Signals(sig))

    def begin_drain(self, number: signal.Signals) -> None:
        """Start the end, or hurry it when it has begun."""
        if self.signal is not None:
            _log.warning("drain_cut_short", signal=number.name)
            self.should_exit = True
            return
        self.signal = number
        self._lifecycle.begin_drain()
        _log.info(
            "drain_begins",
            signal=number.name,
            drain_s=self._drain_s,
            connections=len(self.server_state.connections),
            requests=len(self.server_state.tasks),
        )
        asyncio.get_running_loop().call_later(self._drain_s, self._stop_accepting)

    def _stop_accepting(self) -> None:
        self.should_exit = True


class QuietServer(_AnnouncingServer):
    """A server inside a process that handles signals itself."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone."""
        yield
