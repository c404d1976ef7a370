"""Where the relay hands over the orders that are due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.core.trace_context import TraceParent
from app.repositories.outbox import Due
from app.workers.attempts import Attempts


class Dispatcher(Protocol):
    """Takes orders to be decided.

    May lose them or deliver them twice: the outbox and the decision bear both.
    """

    async def check(self) -> bool:
        """Whether everything published before is known to be gone.

        Raises:
            DispatchUnavailableError: nothing can be published now.
        """
        ...

    async def publish(self, entries: Sequence[Due]) -> None:
        """Hand over their orders.

        Raises:
            DispatchUnavailableError: some or all could not be.
        """
        ...


class DirectDispatcher:
    """Decides in this very process: for one machine without a queue. Slower, never less certain."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    async def check(self) -> bool:
        """Nothing is ever under way between calls, so nothing can be lost."""
        return False

    async def publish(self, entries: Sequence[Due]) -> None:
        """Decide one after the other."""
        for entry in entries:
            await self._attempts.decide(entry.order_id, TraceParent.parse(entry.traceparent))
