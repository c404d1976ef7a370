"""Real servers for tests: started here, stopped here, on free ports of 127.0.0.1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.own_engine import own_engine
from support.postgres_server import PostgresServer
from support.redis_server import RedisServer


@pytest.fixture(scope="session")
def postgres_shared() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole run; do not stop it."""
    server = PostgresServer()
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_own() -> Iterator[PostgresServer]:
    """A PostgreSQL for one test, which may stop and start it."""
    server = PostgresServer()
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres_shared: PostgresServer) -> str:
    """SQLAlchemy URL of an empty database of the test's own."""
    return postgres_shared.new_database()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for one test, running; the test may kill and start it."""
    server = RedisServer(tmp_path)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def engine_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running engine with nothing in it, as variables for docker."""
    with own_engine(tmp_path_factory.mktemp("engine")) as env:
        yield env
