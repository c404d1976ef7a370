from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from support.children import free_port

from app.core.exceptions import DatabaseUnavailableError
from app.core.settings import Settings
from app.db.engine import Database, is_unavailable


class _DriverError(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def _wrapped(sqlstate: str) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, _DriverError(sqlstate))


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.TooManyConnectionsError("too many"),
        _wrapped("57P01"),
        _wrapped("08006"),
        _wrapped("57014"),
    ],
)
def test_an_absent_server_is_known_in_all_its_forms(error: Exception) -> None:
    assert is_unavailable(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        _wrapped("42P01"),
        asyncpg.UniqueViolationError("twice"),
        IntegrityError("INSERT", {}, _DriverError("23505")),
    ],
)
def test_a_refused_statement_is_a_defect_and_not_an_absence(error: Exception) -> None:
    assert not is_unavailable(error)


def test_a_session_on_an_absent_server_says_so() -> None:
    async def scenario() -> None:
        url = f"postgresql+asyncpg://who:word@127.0.0.1:{free_port()}/shop"
        database = Database(url, pool_size=1, application="test")
        with pytest.raises(DatabaseUnavailableError) as caught:
            async with database.session() as session:
                await session.execute(text("SELECT 1"))
        assert caught.value.retry_after_s == 2
        with pytest.raises(DatabaseUnavailableError):
            await database.ping()
        await database.dispose()

    asyncio.run(scenario())


def test_a_database_without_the_schema_is_not_ready(tmp_path: Path, shop: Settings) -> None:
    async def scenario() -> None:
        empty = Database(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}", pool_size=1, application="test")
        with pytest.raises(DatabaseUnavailableError, match="schema"):
            await empty.ping()
        await empty.dispose()
        full = Database(shop.database_url.get_secret_value(), pool_size=1, application="test")
        await full.ping()
        await full.dispose()

    asyncio.run(scenario())


def test_sqlite_keeps_references_whole(shop: Settings) -> None:
    async def scenario() -> None:
        database = Database(shop.database_url.get_secret_value(), pool_size=1, application="test")
        with pytest.raises(IntegrityError):
            async with database.session() as session:
                await session.execute(text("DELETE FROM accounts WHERE id = 'acct-0001'"))
        await database.dispose()

    asyncio.run(scenario())


def test_waits_for_connections_are_told_one_by_one(shop: Settings) -> None:
    async def scenario() -> None:
        database = Database(shop.database_url.get_secret_value(), pool_size=5, application="test")
        waits_s: list[float] = []
        database.on_wait(waits_s.append)
        # One, whatever is asked for: SQLite has one writer.
        assert database.pool_size == 1
        for count in (1, 2):
            async with database.session() as session:
                assert len(waits_s) == count - 1
                await session.execute(text("SELECT 1"))
                await session.execute(text("SELECT 2"))
            assert len(waits_s) == count
        assert min(waits_s) >= 0
        await database.dispose()

    asyncio.run(scenario())
