"""The same shop behind different servers, all on one database, all on the core that is measured."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from bench.processes import Process, free_port, service, service_environment
from bench.stores import migrate
from bench.suite import Context
from tidegate.host.paths import project_root

SMALL = "/api/v2/products/1"
LARGE = "/api/v2/products?limit=100"


class Fleet:
    """Starts servers; each answers from its own caches, so the database is asked next to nothing."""

    def __init__(self, context: Context, running: ExitStack) -> None:
        self._context, self._running = context, running
        database = f"sqlite+aiosqlite:///{context.folder}/shop.db"
        migrate(database)
        self._settings = {
            "DATABASE_URL": database,
            "RATE_LIMITS": "false",
            "CACHE_TTL_S": "3600",
            "LOG_LEVEL": "WARNING",
        }

    def start(
        self, name: str, settings: Mapping[str, str], *, cores: Sequence[int] | None = None
    ) -> tuple[Process, int]:
        """Start `python -m app` with these settings; the process and its port."""
        port = free_port()
        chosen = self._settings | {"PORT": str(port)} | dict(settings)
        process = service(
            name, "app", chosen, cores=cores or self._context.server_core, folder=self._context.folder
        )
        return self._ready(process, port), port

    def start_granian(self, name: str) -> tuple[Process, int]:
        """Start the same application on Granian, one worker."""
        port = free_port()
        command = [sys.executable, "-m", "granian", "--interface", "asgi", "--loop", "uvloop"]
        command += ["--workers", "1", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
        command += ["--log-level", "warning", "--factory", "bench.application:make"]
        process = Process(
            name,
            command,
            cores=self._context.server_core,
            folder=self._context.folder,
            environment=service_environment(self._settings) | {"PYTHONPATH": str(project_root())},
        )
        return self._ready(process, port), port

    def _ready(self, process: Process, port: int) -> Process:
        self._running.enter_context(process).wait_http(f"http://127.0.0.1:{port}/readyz")
        return process
