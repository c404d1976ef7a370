"""Where the relay hands over the orders that are due."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Protocol

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

    async def publish(self, order_ids: Sequence[uuid.UUID]) -> None:
        """Hand over.

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

    async def publish(self, order_ids: Sequence[uuid.UUID]) -> None:
        """Decide one after the other."""
        for order_id in order_ids:
            await self._attempts.decide(order_id)
