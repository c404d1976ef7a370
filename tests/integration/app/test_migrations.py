from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.passwords import matches
from app.db.base import Base
from app.db.engine import make_engine
from app.db.models import Account, Order, OrderLine, OutboxEntry, Product
from app.migrations.run import migrate

pytestmark = pytest.mark.integration


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    return request.getfixturevalue("postgres_url")


@asynccontextmanager
async def _engine(url: str) -> AsyncGenerator[AsyncEngine, None]:
    engine = make_engine(url, pool_size=1, application="test")
    try:
        yield engine
    finally:
        await engine.dispose()


def _counts(connection: Connection) -> dict[str, int]:
    tables = (Account, Product, Order, OrderLine, OutboxEntry)
    return {t.__tablename__: connection.scalar(select(func.count()).select_from(t)) or 0 for t in tables}


def _digest(connection: Connection) -> tuple[object, ...]:
    orders = select(Order.id, Order.account_id, Order.amount_cents, Order.created_at).order_by(Order.id)
    return tuple(tuple(row) for row in connection.execute(orders.limit(200)))


def test_the_head_is_what_the_models_say(empty_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    async def scenario() -> None:
        async with _engine(empty_url) as engine:
            await migrate(engine, seeded=False)
            async with engine.connect() as connection:
                assert await connection.run_sync(differences) == []

    asyncio.run(scenario())


def test_seeding_fills_an_empty_shop_once(empty_url: str) -> None:
    async def scenario() -> None:
        async with _engine(empty_url) as engine:
            await migrate(engine)
            async with engine.connect() as connection:
                first = await connection.run_sync(_counts)
            await migrate(engine)
            async with engine.connect() as connection:
                assert await connection.run_sync(_counts) == first
            assert first["products"] == 200
            assert first["accounts"] == 50
            assert first["orders"] == 50 * 64
            assert first["order_lines"] > first["orders"]
            assert first["outbox"] == 0

    asyncio.run(scenario())


def test_the_seed_is_the_same_everywhere(postgres_url: str, tmp_path: Path) -> None:
    async def seeded(url: str) -> tuple[object, ...]:
        async with _engine(url) as engine:
            await migrate(engine)
            async with engine.connect() as connection:
                return await connection.run_sync(_digest)

    async def scenario() -> None:
        assert await seeded(postgres_url) == await seeded(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")

    asyncio.run(scenario())


def test_every_step_can_be_taken_back_and_again(empty_url: str) -> None:
    def tables(connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    async def scenario() -> None:
        async with _engine(empty_url) as engine:

            async def now() -> set[str]:
                async with engine.connect() as connection:
                    return await connection.run_sync(tables)

            await migrate(engine)
            full = await now()
            await migrate(engine, revision="0001", down=True)
            assert full - await now() == {"outbox"}
            await migrate(engine)
            assert await now() == full
            async with engine.connect() as connection:
                assert (await connection.run_sync(_counts))["orders"] == 50 * 64
            await migrate(engine, revision="base", down=True)
            assert await now() == {"alembic_version"}
            await migrate(engine)
            assert await now() == full

    asyncio.run(scenario())


def test_two_migrations_at_once_do_the_work_once(postgres_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.migrate"]
    environment = {"TIDEGATE_DATABASE_URL": postgres_url, "TIDEGATE_ENVIRONMENT": "production"}
    both = [
        subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert sum('"orders":3200' in output for output in outputs) == 1
    assert sum('"orders":0' in output for output in outputs) == 1


def test_an_absent_database_is_one_line_and_status_3(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.migrate"],
        env={
            "TIDEGATE_DATABASE_URL": "postgresql+asyncpg://who:secret-word@127.0.0.1:1/none",
            "TIDEGATE_MIGRATE_WAIT_S": "0",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")
    assert "secret-word" not in done.stderr + done.stdout


def test_a_failed_migration_leaves_nothing_behind(postgres_url: str) -> None:
    async def scenario() -> None:
        async with _engine(postgres_url) as engine:
            async with engine.begin() as connection:
                # In the way of the second step: the first must be undone with it.
                await connection.execute(text("CREATE TABLE outbox (id integer)"))
            with pytest.raises(Exception, match="outbox"):
                await migrate(engine)
            async with engine.connect() as connection:
                assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == ["outbox"]

    asyncio.run(scenario())


def test_the_demo_password_is_set_once_and_changed_when_it_changes(empty_url: str) -> None:
    async def scenario() -> None:
        async with _engine(empty_url) as engine:

            async def hashes() -> set[str | None]:
                async with engine.connect() as connection:
                    rows = await connection.execute(text("SELECT password_hash FROM accounts"))
                    return {row[0] for row in rows}

            await migrate(engine)
            assert await hashes() == {None}
            await migrate(engine, demo_password="first password")
            (first,) = await hashes()
            assert first is not None
            assert matches(first, "first password")
            await migrate(engine, demo_password="first password")
            assert await hashes() == {first}
            await migrate(engine)
            assert await hashes() == {first}
            await migrate(engine, demo_password="second password")
            (second,) = await hashes()
            assert matches(second, "second password")
            assert not matches(second, "first password")

    asyncio.run(scenario())
