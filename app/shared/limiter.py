"""How much of the service one caller may take: one budget over all pods, kept in Redis."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

from app.core.metrics import Metrics
from app.shared.link import RedisLink, SharedUnavailableError

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.aio.strategies import RateLimiter as Strategy
    from redis.asyncio import Redis


class WithoutRedis(StrEnum):
    """What a use does while the shared budget cannot be asked."""

    OPEN = "open"
    """Everything passes: what is limited is cheap, and refusing it would make the outage worse."""
    LOCAL = "local"
    """Each process grants its share of the budget by itself: more or less the same limit, never none."""
    CLOSED = "closed"
    """Nothing passes: better none than one too many."""


@dataclass(frozen=True)
class Use:
    """One thing that is limited.

    Args:
        name: in headers, metrics and keys.
        rate: such as `600/minute` or `50/10second`.
        exact: counts every request in a sliding log, to the one; else two counters and an estimate, in
            constant space. Exact uses also tell in every answer what is left.
        without_redis: what happens while Redis is away.
    """

    name: str
    rate: str
    exact: bool
    without_redis: WithoutRedis


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer to one request for budget."""

    allowed: bool
    use: str
    quota: int
    window_s: int
    remaining: int | None = None
    """None when it was not asked for."""
    reset_s: int | None = None
    """Seconds until there is more."""

    def headers(self) -> dict[str, str]:
        """Fields of draft-ietf-httpapi-ratelimit-headers (structured, as of version 10)."""
        fields = {"RateLimit-Policy": f'"{self.use}";q={self.quota};w={self.window_s}'}
        if self.remaining is not None:
            fields["RateLimit"] = f'"{self.use}";r={self.remaining};t={self.reset_s}'
        return fields


class LimiterClosedError(Exception):
    """The use allows nothing while Redis is away."""


class RateLimiter:
    """Grants budget to callers.

    The `limits` package does the counting. It is imported beside the loop at the first request that is
    limited, for the start of a pod is what scaling up waits for.

    Args:
        share: processes among which a budget is divided while Redis is away.
    """

    def __init__(self, link: RedisLink, metrics: Metrics, *, share: int) -> None:
        self._link = link
        self._metrics = metrics
        self._share = share if link.configured else 1
        self._making = asyncio.Lock()
        self._local: tuple[Strategy, Strategy] | None = None
        self._shared: tuple[Strategy, Strategy] | None = None
        self._items: dict[tuple[str, bool], RateLimitItem] = {}

    async def take(self, use: Use, key: str) -> Grant:
        """Take one from the caller's budget for the use.

        Raises:
            LimiterClosedError: Redis is away, and the use allows nothing then.
        """
        await self._prepare()
        try:
            grant = await self._link.call(
                lambda client: self._take_shared(client, use, key), name=f"redis limit {use.name}"
            )
        except SharedUnavailableError:
            return await self._without_redis(use, key)
        self._count(use, "allowed" if grant.allowed else "refused")
        return grant

    async def _without_redis(self, use: Use, key: str) -> Grant:
        if self._link.configured and use.without_redis is WithoutRedis.CLOSED:
            self._count(use, "closed")
            raise LimiterClosedError
        if self._link.configured and use.without_redis is WithoutRedis.OPEN:
            self._count(use, "open")
            item = self._item(use, local=False)
            return Grant(True, use.name, item.amount, item.get_expiry())
        assert self._local is not None  # noqa: S101 - `_prepare` has been called
        grant = await _take(self._local, self._item(use, local=True), use, key)
        self._count(use, "local_allowed" if grant.allowed else "local_refused")
        return grant

    async def _take_shared(self, client: Redis, use: Use, key: str) -> Grant:
        if self._shared is None:
            from limits.aio.storage import RedisStorage

            # Only the scheme is looked at: connections come from the one pool of the process.
            storage = RedisStorage(
                "async+redis://",
                implementation="redispy",
                key_prefix="tidegate:limits",
                connection_pool=client.connection_pool,  # type: ignore[arg-type]
            )
            self._shared = _strategies(storage)
        return await _take(self._shared, self._item(use, local=False), use, key)

    async def _prepare(self) -> None:
        if self._local is not None:
            return
        async with self._making:
            if self._local is None:
                await asyncio.to_thread(import_module, "limits.aio.strategies")
                from limits.aio.storage import MemoryStorage

                self._local = _strategies(MemoryStorage())

    def _item(self, use: Use, *, local: bool) -> RateLimitItem:
        found = self._items.get((use.name, local))
        if found is None:
            from limits import parse

            found = parse(use.rate)
            if local:
                amount = max(1, math.ceil(found.amount / self._share))
                found = type(found)(amount, found.multiples, namespace="local")
            self._items[use.name, local] = found
        return found

    def _count(self, use: Use, result: str) -> None:
        self._metrics.limits.labels(use.name, result).inc()


def _strategies(storage: object) -> tuple[Strategy, Strategy]:
    from limits.aio.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

    return MovingWindowRateLimiter(storage), SlidingWindowCounterRateLimiter(storage)  # type: ignore[arg-type]


async def _take(strategies: tuple[Strategy, Strategy], item: RateLimitItem, use: Use, key: str) -> Grant:
    strategy = strategies[0] if use.exact else strategies[1]
    allowed = await strategy.hit(item, use.name, key)
    remaining = reset_s = None
    if use.exact or not allowed:
        # A second question, so only where somebody wants to know.
        stats = await strategy.get_window_stats(item, use.name, key)
        remaining = max(0, stats.remaining)
        reset_s = max(1, math.ceil(stats.reset_time - time.time()))
    return Grant(allowed, use.name, item.amount, item.get_expiry(), remaining, reset_s)
