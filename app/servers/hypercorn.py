"""Hypercorn, for comparison and for HTTP/2 without a proxy."""

# Hypercorn's own types hold bare dictionaries:
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import signal
import socket
from typing import Any, cast

from fastapi import FastAPI
from hypercorn.asyncio import serve
from hypercorn.config import Config

from app.core.lifecycle import Lifecycle
from app.core.logging import get_logger
from app.core.settings import Settings

_log = get_logger(__name__)


async def serve_hypercorn(
    app: FastAPI, settings: Settings, listener: socket.socket, lifecycle: Lifecycle
) -> signal.Signals:
    """Serve until a signal, drain, end; the signal that came. A second one cuts the drain short."""
    host, port = listener.getsockname()[:2]
    config = Config()
    # It takes the descriptor for its own and closes it.
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = settings.keep_alive_s
    config.graceful_timeout = max(1.0, settings.graceful_timeout_s - settings.drain_for_s)
    config.include_server_header = False
    config.accesslog = config.errorlog = None
    config.wsgi_max_body_size = settings.max_body_bytes
    config.websocket_max_message_size = 1024
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    received: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        received.append(number)
        if lifecycle.draining:
            stop.set()
            return
        _log.info("drain_begins", signal=number.name, drain_s=settings.drain_for_s)
        lifecycle.begin_drain()
        loop.call_later(settings.drain_for_s, stop.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    _log.info("serving", host=host, port=port)
    await serve(cast("Any", app), config, shutdown_trigger=stop.wait)
    return received[0] if received else signal.SIGTERM
