"""Connections: few, bounded in number and in time, and checked before use."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection, QueuePool

from app.core.exceptions import DatabaseUnavailableError

CONNECT_TIMEOUT_S = 5.0
STATEMENT_TIMEOUT_S = 5.0
RETRY_AFTER_S = 2

# SQLSTATE classes of PostgreSQL that say "not now" rather than "not so": connection exception,
# insufficient resources, operator intervention, and a failure of the server's own system.
_UNAVAILABLE_SQLSTATES = ("08", "53", "57", "58")


class TimedPool(AsyncAdaptedQueuePool):
    """A pool that tells how long each connection was waited for."""

    waited: Callable[[float], object] | None = None

    def connect(self) -> PoolProxiedConnection:
        """Give out a connection."""
        if self.waited is None:
            return super().connect()
        began_s = time.perf_counter()
        try:
            return super().connect()
        finally:
            self.waited(time.perf_counter() - began_s)


def make_engine(url: str, *, pool_size: int, application: str, pool_wait_s: float = 10.0) -> AsyncEngine:
    """Make an engine; it connects when first used.

    Args:
        url: SQLAlchemy URL for asyncpg or aiosqlite.
        pool_size: the most connections it ever holds; replicas times this must stay below the
            server's `max_connections`.
        application: shown in `pg_stat_activity`.
        pool_wait_s: seconds to wait for a free connection before the database counts as unavailable.
    """
    if url.startswith("sqlite"):
        # One connection: SQLite has one writer anyway, and a reader that turns writer beside another
        # fails at once with "database is locked" instead of waiting.
        engine = create_async_engine(
            url,
            poolclass=TimedPool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=30,
            connect_args={"timeout": 5},
        )
        event.listen(engine.sync_engine, "connect", _sqlite_pragmas)
        return engine
    return create_async_engine(
        url,
        poolclass=TimedPool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_wait_s,
        # A restarted server leaves dead connections behind; one round trip finds them before a caller does.
        pool_pre_ping=True,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": STATEMENT_TIMEOUT_S,
            "server_settings": {
                "application_name": application,
                "jit": "off",
                "statement_timeout": str(int(STATEMENT_TIMEOUT_S * 1000)),
                "idle_in_transaction_session_timeout": "30000",
            },
        },
    )


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class Database:
    """Sessions for work, and a connection of its own for the readiness question.

    Readiness must not queue behind requests: a busy pool would then take busy pods out of service and
    push their load onto the others.
    """

    def __init__(self, url: str, *, pool_size: int, application: str, pool_wait_s: float = 10.0) -> None:
        self.engine = make_engine(url, pool_size=pool_size, application=application, pool_wait_s=pool_wait_s)
        self._probe = (
            self.engine
            if url.startswith("sqlite")
            else make_engine(url, pool_size=1, application=f"{application}-probe")
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)

    @property
    def in_use(self) -> int:
        """Connections that requests hold now."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    @property
    def pool_size(self) -> int:
        """The most connections that requests may hold."""
        pool = self.engine.pool
        return pool.size() if isinstance(pool, QueuePool) else 0

    def on_wait(self, listener: Callable[[float], object]) -> None:
        """Call `listener` with the seconds that each connection was waited for, failures included."""
        pool = self.engine.pool
        if isinstance(pool, TimedPool):
            pool.waited = listener

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[AsyncSession, None]:
        """A session that rolls back what was not committed.

        Raises:
            DatabaseUnavailableError: in place of the driver's many ways to say that the server is away.
        """
        try:
            async with self._sessions() as session:
                yield session
        except Exception as error:
            if is_unavailable(error):
                raise DatabaseUnavailableError(
                    "the database did not answer in time", retry_after_s=RETRY_AFTER_S
                ) from error
            raise

    async def ping(self) -> None:
        """Ask whether the server answers and the schema is there.

        Any schema version will do: during a rollout the migrations of the newer release have run while
        the older one still serves.

        Raises:
            DatabaseUnavailableError: it does not.
        """
        try:
            async with self._probe.connect() as connection:
                found = await connection.scalar(text("SELECT count(*) FROM alembic_version"))
        except Exception as error:
            raise DatabaseUnavailableError("the database does not answer or has no schema") from error
        if not found:
            raise DatabaseUnavailableError("the schema has not been migrated")

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        if self._probe is not self.engine:
            await self._probe.dispose()


def is_unavailable(error: BaseException) -> bool:
    """Whether `error` means the server could not be asked, rather than that it refused the question."""
    if isinstance(error, (OSError, TimeoutError, PoolTimeoutError, InterfaceError, OperationalError)):
        return True
    origin: BaseException | None = error
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        origin = error.orig
    # asyncpg reports a refused connection by its own classes, which carry the server's SQLSTATE.
    sqlstate = getattr(origin, "sqlstate", None)
    return isinstance(sqlstate, str) and sqlstate.startswith(_UNAVAILABLE_SQLSTATES)
