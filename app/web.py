"""The web process: start, serve, drain, end."""

from __future__ import annotations

import asyncio
import gc
import signal
from typing import TextIO

import uvloop

from app.core.logging import configure_logging, get_logger
from app.core.settings import Settings
from app.main import Background, create_app
from app.resources import Resources
from app.server import DrainingServer, bind, http_config

_log = get_logger(__name__)

INTERRUPTED = 130


def run_web(
    settings: Settings, *, background: Background | None = None, log_stream: TextIO | None = None
) -> int:
    """Serve until a signal; the exit status.

    Args:
        background: runs for as long as the application serves.
        log_stream: where logs go; standard output when None.

    Returns:
        0 after SIGTERM, however the drain went; 130 after SIGINT.

    Raises:
        BindError: the address is taken.
    """
    configure_logging(settings, stream=log_stream)
    listener = bind(settings.host, settings.port)
    resources = Resources.create(settings, application="tidegate-web")
    app = create_app(resources, background=background)
    server = DrainingServer(
        http_config(
            app,
            keep_alive_s=settings.keep_alive_s,
            # What the drain takes is gone from the time for the requests.
            graceful_timeout_s=max(1, int(settings.graceful_timeout_s - settings.drain_for_s)),
            lifespan=True,
        ),
        resources.lifecycle,
        drain_s=settings.drain_for_s,
    )
    # All that start-up made lives as long as the process; the collector need never look at it again.
    gc.collect()
    gc.freeze()
    gc.enable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[listener]))
    _log.info("stopped", signal=server.signal.name if server.signal else None)
    return INTERRUPTED if server.signal is signal.SIGINT else 0
