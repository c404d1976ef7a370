"""The service's processes, on databases that are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from support.login import DEMO_PASSWORD, KEYS
from support.postgres_server import PostgresServer
from support.service_process import ServiceProcess

from app.core.settings import load_settings
from app.migrate import run as migrate

StartService = Callable[..., ServiceProcess]


@pytest.fixture(scope="session")
def seeded_url(postgres_shared: PostgresServer) -> str:
    """A PostgreSQL database at the head, seeded, to be copied and never used: a copy takes no time."""
    url = postgres_shared.new_database()
    asyncio.run(migrate(load_settings("migrate", database_url=url, demo_password=DEMO_PASSWORD)))
    return url


@pytest.fixture
def migrated_url(postgres_shared: PostgresServer, seeded_url: str) -> str:
    """SQLAlchemy URL of a PostgreSQL database of the test's own, at the head, seeded."""
    return postgres_shared.new_database(like=seeded_url)


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[StartService]:
    """Starts `python -m <module>`; all that is left at the end is killed."""
    with _starting(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def shared_web(
    postgres_shared: PostgresServer, seeded_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client for one web process on one database for all tests of a module."""
    url = postgres_shared.new_database(like=seeded_url)
    with (
        _starting(tmp_path_factory.mktemp("web")) as start,
        start("app", DATABASE_URL=url).wait_ready() as web,
    ):
        yield web


@contextmanager
def _starting(folder: Path) -> Generator[StartService, None, None]:
    started: list[ServiceProcess] = []

    def start(module: str, **settings: str) -> ServiceProcess:
        defaults = {
            "PORT": "0",
            "WORKER_METRICS_PORT": "0",
            "POD_NAME": f"pod-{len(started) + 1}",
            "FRAUD_WEIGHT": "0.0005",
            "DRAIN_S": "0.5",
            "AUTH_KEYS": KEYS,
            # A slow machine is neither an absent database nor an absent Redis.
            "DB_POOL_WAIT_S": "60",
            "REDIS_TIMEOUT_S": "30",
        }
        process = ServiceProcess(module, folder / f"process-{len(started) + 1}", defaults | settings)
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.close()
