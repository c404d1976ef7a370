"""The databases of a benchmark, on the generator's core: they stand for other machines.

They are those of the tests, but PostgreSQL waits for the disk here (`fsync` on), as in production.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.processes import service_environment
from tidegate.errors import TidegateError
from tidegate.host.paths import project_root

if TYPE_CHECKING:
    from support.postgres_server import PostgresServer
    from support.redis_server import RedisServer

KEYS = "bench:a-key-that-signs-nothing-outside-of-benchmarks"


def _from_tests() -> None:
    place = str(project_root() / "tests")
    if place not in sys.path:
        sys.path.append(place)


@contextmanager
def _as_error() -> Generator[None, None, None]:
    """The tests skip where a program is missing; a benchmark says so and ends."""
    # Private, but the only name of what `pytest.skip` raises.
    from _pytest.outcomes import OutcomeException

    try:
        yield
    except OutcomeException as missing:
        raise TidegateError(str(missing), cure="run `tidegate install test`") from None


@contextmanager
def redis(folder: Path) -> Generator[RedisServer, None, None]:
    """A Redis that keeps nothing."""
    _from_tests()
    from support.redis_server import RedisServer

    with _as_error():
        server = RedisServer(folder)
        server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def postgres(*settings: str) -> Generator[PostgresServer, None, None]:
    """A PostgreSQL with databases of the benchmark's own; `settings` are `name=value`."""
    _from_tests()
    from support.postgres_server import PostgresServer

    with _as_error():
        server = PostgresServer("fsync=on", *settings)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()


def migrate(database_url: str) -> None:
    """Bring the database to the head and seed it."""
    subprocess.run(
        [sys.executable, "-m", "app.migrate"],
        env=service_environment({"DATABASE_URL": database_url}),
        cwd=project_root(),
        check=True,
        capture_output=True,
    )


def bearer(number: int = 1) -> str:
    """The header's value for one seeded account, signed with `KEYS`."""
    from app.core.keys import parse_keys
    from app.core.tokens import TokenService

    return f"Bearer {TokenService(parse_keys(KEYS), ttl_s=86_400).issue(f'acct-{number:04d}')}"
