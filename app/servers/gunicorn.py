"""Gunicorn with Uvicorn workers: the classic way to use several cores in one container.

One process a pod is the default, for a supervisor hides from the autoscaler what its children do. This is
for machines where pods are dear, and for measuring the difference.
"""

# gunicorn and uvicorn-worker carry no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingParameterType=false

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any, NoReturn, cast

from fastapi import FastAPI
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from prometheus_client import multiprocess
from uvicorn_worker import UvicornWorker

from app.core.settings import Settings
from app.resources import Resources
from app.server import DrainingServer, http_options

_GRACE_S = 5
"""What the supervisor gives its workers beyond their own limit."""
_HEARTBEAT_S = 60


class _Logger(Logger):
    """Leaves everything to the root logger, which writes the service's own lines."""

    def setup(self, cfg: Any) -> None:  # noqa: ARG002 - gunicorn's signature
        """Take gunicorn's handlers away."""
        for log in (self.error_log, self.access_log):
            log.handlers = []
            log.propagate = True


def _forget(_server: Any, worker: Any) -> None:
    multiprocess.mark_process_dead(worker.pid)


def run_gunicorn(settings: Settings, listener: socket.socket, make: Callable[[], FastAPI]) -> NoReturn:
    """Serve until a signal, by `settings.server_workers` processes; ends the process.

    Args:
        listener: bound; every worker accepts from it.
        make: makes the application, called in each worker.
    """

    class Worker(UvicornWorker):
        """Drains as the single process does, on the SIGTERM that the supervisor passes on."""

        CONFIG_KWARGS = http_options(settings)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            for name in ("uvicorn.error", "uvicorn.access"):
                logging.getLogger(name).propagate = True

        async def _serve(self) -> None:
            application = cast("FastAPI", self.wsgi)
            resources: Resources = application.state.resources
            self.config.app = application
            server = DrainingServer(self.config, resources.lifecycle, drain_s=settings.drain_for_s)
            self._install_sigquit_handler()
            await server.serve(sockets=self.sockets)

    class Application(BaseApplication):
        """Takes its configuration from the settings and from nowhere else."""

        def load_config(self) -> None:
            """Set what differs from gunicorn's defaults."""
            values = {
                "bind": f"fd://{listener.fileno()}",
                "workers": settings.server_workers,
                "worker_class": Worker,
                "logger_class": _Logger,
                "timeout": _HEARTBEAT_S,
                "graceful_timeout": settings.graceful_timeout_s + _GRACE_S,
                "keepalive": settings.keep_alive_s,
                # Its socket lies in the home folder, which a read-only root does not have.
                "control_socket_disable": True,
                # Gauges of a worker that is gone must not be counted any more.
                "child_exit": _forget,
            }
            for name, value in values.items():
                self.cfg.set(name, value)

        def load(self) -> FastAPI:
            """Make the application, in the worker."""
            return make()

    Application().run()
    raise SystemExit(0)
