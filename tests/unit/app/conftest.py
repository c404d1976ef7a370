"""A shop in a file: migrated and seeded once, copied for each test."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from support.login import DEMO_PASSWORD, KEYS

from app.core.settings import Settings, load_settings
from app.migrate import run as migrate


@pytest.fixture(scope="session")
def _seeded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("shop") / "shop.db"
    url = f"sqlite+aiosqlite:///{file}"
    asyncio.run(migrate(load_settings("migrate", database_url=url, demo_password=DEMO_PASSWORD)))
    return file


@pytest.fixture
def shop(_seeded_file: Path, tmp_path: Path) -> Settings:
    """Settings of a service on a database file of the test's own, at the head and seeded."""
    file = shutil.copy(_seeded_file, tmp_path / "shop.db")
    return load_settings(
        database_url=f"sqlite+aiosqlite:///{file}",
        fraud_weight=0.0005,
        pod_name="pod-1",
        outbox_poll_s=0.01,
        auth_keys=KEYS,
    )
