"""Deciding orders that were taken earlier."""

from __future__ import annotations

import uuid

from app.core.metrics import Metrics
from app.db.base import utc_now
from app.db.engine import Database
from app.db.models import OrderStatus
from app.repositories.orders import OrderRepository
from app.repositories.outbox import OutboxRepository
from app.services.fraud import HISTORY_LIMIT
from app.services.fraud_pool import FraudPool
from app.services.history import placed_order, placed_orders
from app.shared.changes import Changes, order_tag

UNDECIDABLE = "undecidable"
"""Reason of an order that no delivery could get decided."""


class DecisionService:
    """Gives pending orders their end, once each, however often they are delivered."""

    def __init__(self, database: Database, fraud: FraudPool, metrics: Metrics, changes: Changes) -> None:
        self._changes = changes
        self._database = database
        self._fraud = fraud
        self._metrics = metrics

    async def decide(self, order_id: uuid.UUID) -> bool:
        """Judge the order if it is still pending. True when this call decided it.

        Raises:
            DatabaseUnavailableError: the database is away; the outbox will have it delivered again.
            OverloadedError: too many checks wait already.
        """
        async with self._database.session() as session:
            orders = OrderRepository(session)
            order = await orders.get(order_id)
            if order is None or order.status != OrderStatus.PENDING:
                await OutboxRepository(session).remove([order_id])
                await session.commit()
                return False
            rows = await orders.history(order.account_id, limit=HISTORY_LIMIT, without=order_id)
        assessment = await self._fraud.assess(placed_orders(rows), placed_order(order))
        return await self._end(
            order_id,
            order.api_version,
            OrderStatus.REJECTED if assessment.rejected else OrderStatus.ACCEPTED,
            assessment.score,
            list(assessment.reasons),
        )

    async def give_up(self, order_id: uuid.UUID) -> bool:
        """Reject an order that nobody could get decided: unchecked goods are not sent."""
        return await self._end(order_id, "v2", OrderStatus.REJECTED, None, [UNDECIDABLE])

    async def _end(
        self, order_id: uuid.UUID, version: str, status: OrderStatus, score: float | None, reasons: list[str]
    ) -> bool:
        async with self._database.session() as session:
            decided = await OrderRepository(session).decide(
                order_id, status=status, score=score, reasons=reasons, decided_at=utc_now()
            )
            await OutboxRepository(session).remove([order_id])
            await session.commit()
        if decided:
            self._metrics.orders.labels(version, status).inc()
            await self._changes.announce(order_tag(order_id))
        return decided
