"""One attempt at a decision, and when the next one is due if it fails."""

from __future__ import annotations

import asyncio
import random
import uuid
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from app.core.exceptions import DatabaseUnavailableError, OverloadedError
from app.core.logging import get_logger
from app.core.trace_context import TraceParent
from app.db.base import utc_now
from app.db.engine import Database
from app.repositories.outbox import OutboxRepository
from app.services.decisions import DecisionService

if TYPE_CHECKING:
    from app.telemetry.tracing import Tracing

FIRST_WAIT_S = 1.0
MAX_WAIT_S = 900.0
TIME_LIMIT_S = 60.0
MESSAGING = {"messaging.system": "dramatiq", "messaging.destination.name": "orders"}
"""What every span about a message says."""

_log = get_logger(__name__)


class Attempts:
    """Decides, and where that fails puts the order off in the outbox.

    The outbox is the only layer that tries again, for it alone knows how often an order has been tried;
    a queue that did so too would multiply the attempts.

    Args:
        tracing: makes a span of each attempt; None where tracing is off.
    """

    def __init__(
        self, database: Database, decisions: DecisionService, tracing: Tracing | None = None
    ) -> None:
        self._tracing = tracing
        self._database = database
        self._decisions = decisions
        # Not for secrets: it keeps what failed together from being tried together again.
        self._random = random.Random()  # noqa: S311

    async def decide(self, order_id: uuid.UUID, parent: TraceParent | None = None) -> None:
        """Try once, for at most `TIME_LIMIT_S`.

        Args:
            parent: the trace that the attempt belongs to.

        Raises:
            DatabaseUnavailableError: nothing can be noted either; the entry is due again when the relay said.
            OverloadedError: too many checks wait in this process; likewise.
        """
        attributes = {**MESSAGING, "messaging.operation.type": "process", "tidegate.order_id": str(order_id)}
        opened = (
            nullcontext()
            if self._tracing is None
            else self._tracing.continued("process orders", "consumer", parent, attributes)
        )
        with opened as span:
            known = {} if span is None else {"trace_id": span.parent.trace_id}
            with structlog.contextvars.bound_contextvars(**known):
                try:
                    async with asyncio.timeout(TIME_LIMIT_S):
                        await self._decisions.decide(order_id)
                except (DatabaseUnavailableError, OverloadedError):
                    raise
                except Exception as error:  # noqa: BLE001 - whatever it is, a decision is still owed
                    _log.exception("decision_failed", order_id=str(order_id))
                    if span is not None:
                        span.fail(type(error).__name__)
                    await self._put_off(order_id, f"{type(error).__name__}: {error}")

    async def _put_off(self, order_id: uuid.UUID, error: str) -> None:
        async with self._database.session() as session:
            await OutboxRepository(session).failed(order_id, error=error, due_at=self._due_at)
            await session.commit()

    def _due_at(self, deliveries: int) -> datetime:
        """Doubling waits, each shortened by chance by up to a half."""
        wait_s = min(MAX_WAIT_S, FIRST_WAIT_S * 2 ** max(0, deliveries - 1))
        return utc_now() + timedelta(seconds=wait_s * self._random.uniform(0.5, 1.0))
