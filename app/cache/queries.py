"""Query results, from the nearest layer that has them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.cache.flights import Flights
from app.cache.memory import MemoryLayer
from app.cache.shared import Found, SharedLayer
from app.core.metrics import Metrics
from app.shared.changes import Changes
from app.shared.link import SharedUnavailableError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How a value is written for Redis and read again."""

    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]


class QueryCache:
    """Memory, then Redis, then the query.

    How old a value can be: changes are told to every pod, so ordinarily not at all. A pod that hears
    nothing uses a value for `ttl_s` at most, then Redis's, which is void as soon as the writer reached
    Redis. Without Redis every pod asks the database once in `ttl_s`.

    Args:
        ttl_s: life of a value in the process; None makes every lookup a query (for measurements).
    """

    def __init__(
        self, shared: SharedLayer, changes: Changes, metrics: Metrics, *, ttl_s: float | None
    ) -> None:
        self._memory = MemoryLayer()
        self._flights = Flights()
        self._shared = shared
        self._metrics = metrics
        self._ttl_s = ttl_s
        changes.listen(self._drop)
        changes.on_gap(self._clear)

    async def fetch(
        self, key: str, tags: tuple[str, ...], load: Callable[[], Awaitable[T]], codec: Codec[T]
    ) -> T:
        """The value of `key`: kept, or loaded now. What `load` raises comes through and is not kept."""
        if self._ttl_s is None:
            return await load()
        entry = self._memory.get(key)
        if entry is not None:
            self._metrics.cached("memory", "hit")
            return entry.value
        self._metrics.cached("memory", "miss")
        if self._flights.under_way(key):
            self._metrics.cached("query", "joined")
        ttl_s = self._ttl_s
        return await self._flights.join(key, tags, lambda: self._bring(key, tags, load, codec, ttl_s))

    async def _bring(
        self, key: str, tags: tuple[str, ...], load: Callable[[], Awaitable[T]], codec: Codec[T], ttl_s: float
    ) -> T:
        epoch = self._memory.epoch
        found = await self._from_redis(key, tags)
        if found is not None and found.payload is not None:
            value, payload = codec.decode(found.payload), found.payload
        else:
            self._metrics.cached("query", "made")
            value = await load()
            payload = codec.encode(value)
            if found is not None:
                await self._to_redis(key, payload, found)
        self._memory.put(key, value, tags, size=len(payload), ttl_s=ttl_s, epoch=epoch)
        return value

    async def _from_redis(self, key: str, tags: tuple[str, ...]) -> Found | None:
        if not self._shared.open:
            self._metrics.cached("redis", "away")
            return None
        try:
            found = await self._shared.get(key, tags)
        except SharedUnavailableError:
            self._metrics.cached("redis", "away")
            return None
        self._metrics.cached("redis", "miss" if found.payload is None else "hit")
        return found

    async def _to_redis(self, key: str, payload: bytes, found: Found) -> None:
        try:
            await self._shared.put(key, payload, found.generations)
        except SharedUnavailableError:
            self._metrics.cached("redis", "away")

    def _drop(self, tags: Collection[str]) -> None:
        self._memory.drop(tags)
        self._flights.forget(tags)

    def _clear(self) -> None:
        self._memory.clear()
        self._flights.forget_all()
