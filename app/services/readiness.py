"""Whether the database answers, asked gently.

A question under way is waited for by everyone who asks meanwhile, and never broken off: breaking off a
connection that takes long because all cores are busy, and beginning it anew at the next probe, keeps them
busy. And a database that is slow is not away: if every pod called itself unready for it, nobody would be left
to serve.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from app.core.exceptions import DatabaseUnavailableError

PATIENCE_S = 15.0
"""Seconds for which the last good answer stands while a newer one is late."""


class Readiness:
    """The last answer, and the question under way.

    Args:
        ask: asks the database; raises `DatabaseUnavailableError`, in bounded time, when it does not answer.
        clock: monotonic seconds.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[None]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._question: asyncio.Task[None] | None = None
        self._good_s: float | None = None
        self._answered = asyncio.Event()

    async def check(self, wait_s: float) -> None:
        """Return when the database answers, or did so lately and is slow now.

        Args:
            wait_s: seconds to wait for the question.

        Raises:
            DatabaseUnavailableError: it does not answer, or has taken too long.
        """
        question = await self._wait(wait_s)
        if question.done():
            question.result()
        elif self._good_s is None or self._clock() - self._good_s > PATIENCE_S:
            raise DatabaseUnavailableError("the database is slow")

    async def first(self, wait_s: float) -> None:
        """Return when the first question has been answered, whatever the answer, or after `wait_s`."""
        if self._good_s is None:
            await self._wait(wait_s)

    async def answered(self, wait_s: float) -> None:
        """Return when a question that somebody asks has its answer, whatever it is, or after `wait_s`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._answered.wait(), wait_s)

    def close(self) -> None:
        """Forget the question under way."""
        if self._question is not None:
            self._question.cancel()

    async def _wait(self, wait_s: float) -> asyncio.Task[None]:
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._asked())
            # Nobody may be left to hear of it.
            self._question.add_done_callback(lambda task: task.cancelled() or task.exception())
        question = self._question
        await asyncio.wait({question}, timeout=wait_s)
        return question

    async def _asked(self) -> None:
        try:
            await self._ask()
            self._good_s = self._clock()
        finally:
            self._answered.set()
