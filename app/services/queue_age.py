"""Stops taking orders nobody gets round to deciding."""

from __future__ import annotations

import asyncio
import time

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.exceptions import OverloadedError
from app.db.base import utc_now
from app.repositories.orders import OrderRepository

_FRESH_S = 1.0
_RETRY_AFTER_S = 10


class QueueAgeGuard:
    """Knows the age of the oldest pending order, at most a second old itself.

    Accepting is far cheaper than deciding, so without a limit a shortage of workers would turn into a queue
    that never ends; a refusal tells the caller now what a stale answer would tell too late.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._age_s = 0.0
        self._read_at_s = float("-inf")
        self._reading = asyncio.Lock()

    async def check(self, session: AsyncSession) -> None:
        """Let a new order pass, or not.

        Raises:
            OverloadedError: the oldest pending order is older than the limit.
        """
        # While one request reads, the others use the last value: never more than one query at a time.
        if time.monotonic() - self._read_at_s >= _FRESH_S and not self._reading.locked():
            async with self._reading:
                pending = await OrderRepository(session).pending()
                oldest = pending.oldest_created_at
                self._age_s = (utc_now() - oldest).total_seconds() if oldest else 0.0
                self._read_at_s = time.monotonic()
        if self._age_s > self._limit_s:
            raise OverloadedError(
                "orders wait too long to be decided; try again later", retry_after_s=_RETRY_AFTER_S
            )
