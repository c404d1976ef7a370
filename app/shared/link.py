"""The web process's way to Redis: quick to fail, quick to return."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.lean import import_redis
from app.core.logging import get_logger
from app.core.tracing import span

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")

PAUSE_S = 1.0
"""After a failure nobody asks for so long: requests must not queue up for one timeout each."""
MAX_CONNECTIONS = 16
"""Whoever comes when all are in use waits for one, as long as for an answer."""

_SPAN_ATTRIBUTES = {"db.system.name": "redis"}

_log = get_logger(__name__)


class SharedUnavailableError(Exception):
    """Redis is not configured, does not answer, or did not a moment ago. Each use says what it does then."""


class RedisLink:
    """One client for all uses in the process, made when first used.

    redis-py costs a seventh of the process's start, so it is imported beside the loop and after the start.

    Args:
        url: where Redis is; None when the process is to keep to itself.
        timeout_s: longest wait for a connection, and for an answer.
    """

    def __init__(self, url: str | None, *, timeout_s: float = 1.0) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._client: Redis | None = None
        self._making = asyncio.Lock()
        self._closed_until_s = float("-inf")

    @property
    def configured(self) -> bool:
        """Whether there is a Redis to share at all."""
        return self._url is not None

    @property
    def open(self) -> bool:
        """Whether asking makes sense now."""
        return self.configured and time.monotonic() >= self._closed_until_s

    async def client(self) -> Redis:
        """The client itself, for what outlasts a call.

        Raises:
            SharedUnavailableError: there is no Redis to share.
        """
        if self._url is None:
            raise SharedUnavailableError("no Redis is configured")
        async with self._making:
            if self._client is None:
                module = await asyncio.to_thread(import_redis, "redis.asyncio")
                self._client = _make(module, self._url, self._timeout_s)
        return self._client

    async def call(self, operation: Callable[[Redis], Awaitable[T]], *, name: str = "redis") -> T:
        """Run one short operation.

        Args:
            name: of the operation, in traces.

        Raises:
            SharedUnavailableError: it could not be run, or it is not known whether it was.
        """
        if not self.open:
            raise SharedUnavailableError("Redis did not answer a moment ago")
        client = await self.client()
        from redis import RedisError

        try:
            with span(name, "client", _SPAN_ATTRIBUTES):
                async with asyncio.timeout(2 * self._timeout_s):
                    return await operation(client)
        except (RedisError, OSError, TimeoutError) as error:
            self.failed(error)
            raise SharedUnavailableError(f"Redis does not answer: {type(error).__name__}") from error

    def failed(self, error: Exception) -> None:
        """Note a failure met elsewhere: the next ones to ask are spared the wait."""
        if self.open:
            _log.warning("redis_away", reason=f"{type(error).__name__}: {error}"[:200])
        self._closed_until_s = time.monotonic() + PAUSE_S

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()


def _make(module: Any, url: str, timeout_s: float) -> Redis:
    retry, backoff = import_module("redis.asyncio.retry"), import_module("redis.backoff")
    # A pool that refuses when all are in use would make every burst look like an absent Redis.
    pool = module.BlockingConnectionPool.from_url(
        url,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        max_connections=MAX_CONNECTIONS,
        # Whoever uses the link goes on without Redis; trying again here would only make that later.
        retry=retry.Retry(backoff.NoBackoff(), 0),
        decode_responses=False,
    )
    return module.Redis.from_pool(pool)
