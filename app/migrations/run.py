"""Runs migrations from anywhere: no file beside the package, no working folder."""

from __future__ import annotations

import asyncio
import time

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.logging import get_logger
from app.db.engine import is_unavailable
from app.migrations.demo import set_demo_password
from app.migrations.seed import seed

_log = get_logger(__name__)

# Any number will do, as long as every release uses the same.
_LOCK = 7_133_829_114
_RETRY_S = 1.0


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration, made here instead of read from a file."""
    config = Config()
    config.set_main_option("script_location", "app:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def migrate(
    engine: AsyncEngine,
    *,
    revision: str = "head",
    down: bool = False,
    seeded: bool = True,
    demo_password: str | None = None,
) -> None:
    """Bring the schema to `revision`, and seed it when it is at the head.

    All in one transaction and, on PostgreSQL, under an advisory lock: two that run at once do the work once,
    and one that fails leaves nothing half done.
    """
    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # A migration may rightly take longer than a request's statement may.
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        move = command.downgrade if down else command.upgrade
        await connection.run_sync(lambda sync: move(alembic_config(sync), revision))
        if seeded and not down and revision == "head":
            added = await connection.run_sync(seed)
            _log.info("seeded", orders=added)
            if demo_password is not None:
                changed = await connection.run_sync(lambda sync: set_demo_password(sync, demo_password))
                _log.info("demo_accounts_open", changed=changed)
    _log.info("migrated", revision=revision)


async def wait_for_database(engine: AsyncEngine, *, wait_s: float) -> None:
    """Return when the server answers.

    Raises:
        Exception: what it still says when `wait_s` is over.
    """
    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:
            if not is_unavailable(error) or time.monotonic() + _RETRY_S > deadline_s:
                raise
            _log.info("database_awaited", reason=type(error).__name__)
        else:
            return
        await asyncio.sleep(_RETRY_S)
