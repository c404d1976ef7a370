"""The service's processes, on databases that are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.service_process import ServiceProcess

from app.core.settings import load_settings
from app.migrate import run as migrate

StartService = Callable[..., ServiceProcess]


@pytest.fixture
def migrated_url(postgres_url: str) -> str:
    """SQLAlchemy URL of a PostgreSQL database at the head, seeded."""
    asyncio.run(migrate(load_settings("migrate", database_url=postgres_url)))
    return postgres_url


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[StartService]:
    """Starts `python -m <module>`; all that is left at the end is killed."""
    started: list[ServiceProcess] = []

    def start(module: str, **settings: str) -> ServiceProcess:
        defaults = {
            "PORT": "0",
            "WORKER_METRICS_PORT": "0",
            "POD_NAME": f"pod-{len(started) + 1}",
            "FRAUD_WEIGHT": "0.0005",
            "DRAIN_S": "0.5",
        }
        process = ServiceProcess(module, tmp_path / f"process-{len(started) + 1}", defaults | settings)
        started.append(process)
        return process

    yield start
    for process in started:
        process.close()
