"""The web process: start, serve, drain, end."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import socket
import tempfile
from typing import TYPE_CHECKING, TextIO

from pydantic import SecretStr

from app.core.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.main import Background
    from app.resources import Resources

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
    if settings.server == "gunicorn":
        settings = _shared_by_workers(settings)
    # Not before: with several processes the metrics library must find their folder when it is imported.
    from app.core.lean import defer_package, import_fastapi

    # uvicorn itself asks for its own `Config` by the package.
    defer_package("uvicorn", Config="config")
    defer_package("prometheus_client")
    import_fastapi()
    from app.core.logging import configure_logging, get_logger
    from app.listening import bind
    from app.main import create_app
    from app.resources import Resources

    configure_logging(settings, stream=log_stream)
    listener = bind(settings.host, settings.port)

    if settings.server == "gunicorn":
        from app.servers.gunicorn import run_gunicorn

        # Imported by now, so the workers share the pages.
        gc.freeze()
        gc.enable()
        run_gunicorn(
            settings,
            listener,
            lambda: create_app(Resources.create(settings, application="tidegate-web"), background=background),
        )

    resources = Resources.create(settings, application="tidegate-web")
    app = create_app(resources, background=background)
    # All that start-up made lives as long as the process, and the collector need never look at it. It does
    # not look now either: going through 170,000 objects to find 800 to free was a tenth of the start.
    gc.freeze()
    gc.enable()
    if settings.server == "hypercorn":
        received = _run_hypercorn(app, settings, listener, resources)
    else:
        received = _run_uvicorn(app, settings, listener, resources)
    get_logger(__name__).info("stopped", signal=received.name if received else None)
    return INTERRUPTED if received is signal.SIGINT else 0


def _run_uvicorn(
    app: FastAPI, settings: Settings, listener: socket.socket, resources: Resources
) -> signal.Signals | None:
    from uvicorn.config import Config

    from app.server import DrainingServer, http_options
    from app.servers.loop import loop_factory

    config = Config(app, **http_options(settings))
    server = DrainingServer(config, resources.lifecycle, drain_s=settings.drain_for_s)
    with asyncio.Runner(loop_factory=loop_factory(settings)) as runner:
        runner.run(server.serve(sockets=[listener]))
    return server.signal


def _run_hypercorn(
    app: FastAPI, settings: Settings, listener: socket.socket, resources: Resources
) -> signal.Signals:
    from app.servers.hypercorn import serve_hypercorn
    from app.servers.loop import loop_factory

    listener.listen(1024)
    with asyncio.Runner(loop_factory=loop_factory(settings)) as runner:
        return runner.run(serve_hypercorn(app, settings, listener, resources.lifecycle))


def _shared_by_workers(settings: Settings) -> Settings:
    """What the workers must have in common: a folder for measurements, and keys that all of them accept."""
    # Empty, and gone with the container: figures of an earlier life would be added to this one's.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="tidegate-metrics-")
    if settings.auth_keys is not None:
        return settings
    return settings.model_copy(update={"auth_keys": SecretStr(f"drawn:{secrets.token_hex(32)}")})
