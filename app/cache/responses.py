"""Whole answers, ready to be sent."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from app.cache.flights import Flights
from app.cache.memory import MemoryLayer
from app.core.metrics import Metrics
from app.shared.changes import Changes


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The body of a 200 and the tag by which callers ask whether they have it already."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, body: bytes) -> StoredResponse:
        """Name the body by its content: the same on every pod."""
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


class ResponseCache:
    """Keeps answers for as long as they are fresh, and a while longer: then the next caller still gets the
    old one at once, and behind it a single refresh begins. A change of a tag ends both at once.

    Args:
        ttl_s: how long an answer is fresh; None keeps nothing.
        stale_s: how long after that it may be given while it is refreshed.
    """

    def __init__(self, changes: Changes, metrics: Metrics, *, ttl_s: float | None, stale_s: float) -> None:
        self._memory = MemoryLayer()
        self._flights = Flights()
        self._metrics = metrics
        self._ttl_s = ttl_s
        self._stale_s = stale_s
        changes.listen(self._drop)
        changes.on_gap(self._clear)

    async def fetch(
        self, key: str, tags: tuple[str, ...], produce: Callable[[], Awaitable[bytes]]
    ) -> StoredResponse:
        """The answer of `key`. What `produce` raises comes through and is not kept."""
        if self._ttl_s is None:
            return StoredResponse.of(await produce())
        entry = self._memory.get(key)
        ttl_s = self._ttl_s
        if entry is None:
            self._metrics.cached("response", "miss")
            return await self._flights.join(key, tags, lambda: self._make(key, tags, produce, ttl_s))
        if entry.fresh:
            self._metrics.cached("response", "hit")
        else:
            self._metrics.cached("response", "stale")
            self._flights.start(key, tags, lambda: self._make(key, tags, produce, ttl_s))
        return entry.value

    async def _make(
        self, key: str, tags: tuple[str, ...], produce: Callable[[], Awaitable[bytes]], ttl_s: float
    ) -> StoredResponse:
        epoch = self._memory.epoch
        made = StoredResponse.of(await produce())
        self._memory.put(
            key, made, tags, size=len(made.body), ttl_s=ttl_s, stale_s=self._stale_s, epoch=epoch
        )
        return made

    def _drop(self, tags: Collection[str]) -> None:
        self._memory.drop(tags)
        self._flights.forget(tags)

    def _clear(self) -> None:
        self._memory.clear()
        self._flights.forget_all()
