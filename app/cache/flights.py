"""One load for all who ask at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any


class Flights:
    """Loads under way, by key.

    A load is a task of its own: when the caller that began it gives up, the others still get their answer.
    """

    def __init__(self) -> None:
        self._flights: dict[str, tuple[asyncio.Task[Any], tuple[str, ...]]] = {}

    def under_way(self, key: str) -> bool:
        """Whether somebody loads it already."""
        return key in self._flights

    def start(self, key: str, tags: tuple[str, ...], load: Callable[[], Awaitable[Any]]) -> asyncio.Task[Any]:
        """The load under way, or a new one."""
        found = self._flights.get(key)
        if found is not None:
            return found[0]
        task: asyncio.Task[Any] = asyncio.ensure_future(_run(load))
        self._flights[key] = (task, tags)
        task.add_done_callback(lambda done: self._landed(key, done))
        return task

    async def join(self, key: str, tags: tuple[str, ...], load: Callable[[], Awaitable[Any]]) -> Any:
        """The result of the load under way, or of a new one; its exception too."""
        return await asyncio.shield(self.start(key, tags, load))

    def forget(self, tags: Collection[str]) -> None:
        """Let nobody else join loads that may bring what has just changed; those who wait are served."""
        wanted = set(tags)
        for key in [key for key, (_, held) in self._flights.items() if not wanted.isdisjoint(held)]:
            del self._flights[key]

    def forget_all(self) -> None:
        """As `forget`, for every load."""
        self._flights.clear()

    def _landed(self, key: str, task: asyncio.Task[Any]) -> None:
        if key in self._flights and self._flights[key][0] is task:
            del self._flights[key]
        if not task.cancelled():
            # Asked for, so that a failure nobody waited for is not reported as lost.
            task.exception()


async def _run(load: Callable[[], Awaitable[Any]]) -> Any:
    return await load()
