"""The orders' queries."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from app.db.models import Order, OrderLine, OrderStatus, OutboxEntry


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One line of an account's earlier orders."""

    order_id: uuid.UUID
    created_at: datetime
    amount_cents: int
    product_id: int


@dataclass(frozen=True, slots=True)
class PendingOrders:
    """The queue as the database knows it: every order taken and not decided, wherever its message is.

    Dead letters are counted apart: they wait for a person, and must not make new orders be refused.
    """

    count: int
    oldest_created_at: datetime | None
    dead: int


class OrderRepository:
    """Reads and writes orders."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, order: Order) -> None:
        """Write the order, with its lines, when the session is flushed."""
        self._session.add(order)

    async def get(self, order_id: uuid.UUID) -> Order | None:
        """One order with its lines, or None."""
        return await self._session.scalar(
            select(Order).where(Order.id == order_id).options(selectinload(Order.lines))
        )

    async def page(
        self,
        account_id: str,
        limit: int,
        *,
        status: OrderStatus | None = None,
        after: tuple[datetime, uuid.UUID] | None = None,
    ) -> Sequence[Order]:
        """At most `limit` of the account's orders, newest first, beginning after the given one."""
        query = select(Order).where(Order.account_id == account_id)
        if status is not None:
            query = query.where(Order.status == status)
        if after is not None:
            query = query.where(tuple_(Order.created_at, Order.id) < after)
        query = query.order_by(Order.created_at.desc(), Order.id.desc()).limit(limit)
        return (await self._session.scalars(query.options(selectinload(Order.lines)))).all()

    async def get_by_key(self, account_id: str, idempotency_key: str) -> Order | None:
        """The order an earlier request with the same key made, with its lines."""
        return await self._session.scalar(
            select(Order)
            .where(Order.account_id == account_id, Order.idempotency_key == idempotency_key)
            .options(selectinload(Order.lines))
        )

    async def history(
        self, account_id: str, *, limit: int, without: uuid.UUID | None = None
    ) -> Sequence[HistoryRow]:
        """The lines of the account's latest `limit` orders, newest order first, `without` left out."""
        latest = (
            select(Order.id, Order.created_at, Order.amount_cents)
            .where(Order.account_id == account_id)
            .order_by(Order.created_at.desc())
            .limit(limit)
        )
        if without is not None:
            latest = latest.where(Order.id != without)
        orders = latest.subquery()
        rows = await self._session.execute(
            select(orders.c.id, orders.c.created_at, orders.c.amount_cents, OrderLine.product_id)
            .join(OrderLine, OrderLine.order_id == orders.c.id)
            .order_by(orders.c.created_at.desc(), orders.c.id, OrderLine.line_no)
        )
        return [HistoryRow(*row) for row in rows]

    async def decide(
        self,
        order_id: uuid.UUID,
        *,
        status: OrderStatus,
        score: float | None,
        reasons: list[str],
        decided_at: datetime,
    ) -> bool:
        """Give a pending order its end. False when it had one already: a decision is never changed."""
        result = await self._session.execute(
            update(Order)
            .where(Order.id == order_id, Order.status == OrderStatus.PENDING)
            .values(status=status, fraud_score=score, fraud_reasons=reasons, decided_at=decided_at)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)  # noqa: S101 - tells the type checker what an UPDATE gives
        return result.rowcount == 1

    async def pending(self) -> PendingOrders:
        """How many orders wait, and since when."""
        dead = select(OutboxEntry.order_id).where(OutboxEntry.died_at.is_not(None))
        row = (
            await self._session.execute(
                select(
                    func.count(),
                    func.min(Order.created_at),
                    select(func.count()).select_from(dead.subquery()).scalar_subquery(),
                ).where(Order.status == OrderStatus.PENDING, Order.id.not_in(dead))
            )
        ).one()
        return PendingOrders(count=row[0], oldest_created_at=row[1], dead=row[2])
