"""Taking orders: decided at once (v1), or owed a decision (v2)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.cursor import decode_position, encode_position
from app.core.exceptions import (
    IdempotencyConflictError,
    InvalidCursorError,
    NotFoundError,
    UnknownReferenceError,
)
from app.core.metrics import Metrics
from app.core.tracing import current_parent
from app.db.base import utc_now
from app.db.models import Order, OrderLine, OrderStatus
from app.repositories.accounts import AccountRepository
from app.repositories.orders import OrderRepository
from app.repositories.outbox import OutboxRepository
from app.repositories.products import ProductRepository
from app.services.fraud import HISTORY_LIMIT
from app.services.fraud_pool import FraudPool
from app.services.history import placed_order, placed_orders
from app.services.queue_age import QueueAgeGuard

_LISTING = "orders"


@dataclass(frozen=True, slots=True)
class LineRequest:
    """So many of one product."""

    product_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a caller asks for."""

    account_id: str
    lines: tuple[LineRequest, ...]
    idempotency_key: str | None = None

    def digest(self) -> str:
        """Tells one body from another, whatever the key."""
        text = "|".join(f"{line.product_id}x{line.quantity}" for line in self.lines)
        return hashlib.sha256(f"{self.account_id}|{text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Some orders and the way to the next ones; None at the end."""

    items: Sequence[Order]
    next_cursor: str | None


class OrderService:
    """Takes and finds orders. A transaction never stays open while a fraud check runs."""

    def __init__(
        self, session: AsyncSession, fraud: FraudPool, queue_age: QueueAgeGuard, metrics: Metrics
    ) -> None:
        self._session = session
        self._fraud = fraud
        self._queue_age = queue_age
        self._metrics = metrics
        self._orders = OrderRepository(session)

    async def get(self, order_id: uuid.UUID, account_id: str) -> Order:
        """One order of the account.

        Raises:
            NotFoundError: the account has none with that id. Another's order is answered in the same words,
                for whoever may not read an order may not learn either that there is one.
        """
        order = await self._orders.get(order_id)
        if order is None or order.account_id != account_id:
            raise NotFoundError(f"there is no order {order_id}")
        return order

    async def page(
        self, account_id: str, *, status: OrderStatus | None, limit: int, cursor: str | None
    ) -> OrderPage:
        """The account's orders, newest first: the page after `cursor`, or the first.

        Raises:
            InvalidCursorError: the cursor is not ours.
        """
        after = None if cursor is None else _place(cursor)
        found = await self._orders.page(account_id, limit + 1, status=status, after=after)
        items = found[:limit]
        if len(found) <= limit:
            return OrderPage(items, None)
        last = items[-1]
        return OrderPage(items, encode_position(_LISTING, [last.created_at.isoformat(), str(last.id)]))

    async def place_decided(self, request: OrderRequest) -> Order:
        """Check the order now and write it with its decision.

        Raises:
            UnknownReferenceError: no such account or product.
            IdempotencyConflictError: the key belongs to another order.
            OverloadedError: too many checks wait already.
        """
        earlier = await self._earlier(request)
        if earlier is not None:
            return earlier
        # Asked before the check, which costs far more than the question.
        await self._require_account(request.account_id)
        order = await self._priced(request, "v1")
        rows = await self._orders.history(request.account_id, limit=HISTORY_LIMIT)
        # Ends the transaction and gives the connection back: the check takes far longer than any query.
        await self._session.commit()
        assessment = await self._fraud.assess(placed_orders(rows), placed_order(order))
        order.status = OrderStatus.REJECTED if assessment.rejected else OrderStatus.ACCEPTED
        order.fraud_score = assessment.score
        order.fraud_reasons = list(assessment.reasons)
        order.decided_at = utc_now()
        return await self._write(order, request)

    async def place_pending(self, request: OrderRequest) -> Order:
        """Write the order, and in the same transaction the debt of a decision.

        Raises:
            UnknownReferenceError: no such account or product.
            IdempotencyConflictError: the key belongs to another order.
            OverloadedError: earlier orders wait too long already.
        """
        earlier = await self._earlier(request)
        if earlier is not None:
            return earlier
        await self._queue_age.check(self._session)
        order = await self._priced(request, "v2")
        return await self._write(order, request, owed=True)

    async def _write(self, order: Order, request: OrderRequest, *, owed: bool = False) -> Order:
        self._orders.add(order)
        try:
            if owed:
                # The outbox row refers to the order, which therefore has to be there first.
                await self._session.flush()
                parent = current_parent()
                OutboxRepository(self._session).add(
                    order.id, now=order.created_at, traceparent=str(parent) if parent else None
                )
            await self._session.commit()
        except IntegrityError:
            await self._session.rollback()
            # A request with the same key ran beside this one and was first.
            earlier = await self._earlier(request)
            if earlier is None:
                # The account may be gone while its token lives: the foreign key says so without a query more.
                await self._require_account(request.account_id)
                raise
            return earlier
        self._metrics.orders.labels(order.api_version, order.status).inc()
        return order

    async def _earlier(self, request: OrderRequest) -> Order | None:
        if request.idempotency_key is None:
            return None
        order = await self._orders.get_by_key(request.account_id, request.idempotency_key)
        if order is not None and order.request_digest != request.digest():
            raise IdempotencyConflictError("this idempotency key came before, with another order")
        return order

    async def _require_account(self, account_id: str) -> None:
        if not await AccountRepository(self._session).exists(account_id):
            raise UnknownReferenceError(f"there is no account {account_id}")

    async def _priced(self, request: OrderRequest, api_version: str) -> Order:
        wanted = [line.product_id for line in request.lines]
        prices = await ProductRepository(self._session).prices_cents(wanted)
        unknown = sorted(set(wanted) - prices.keys())
        if unknown:
            raise UnknownReferenceError(f"there is no product {', '.join(map(str, unknown))}")
        return _order(request, api_version, prices, now=utc_now())


def _place(cursor: str) -> tuple[datetime, uuid.UUID]:
    created_at, order_id = decode_position(cursor, _LISTING, [str, str])
    try:
        place = datetime.fromisoformat(created_at), uuid.UUID(order_id)
    except ValueError:
        raise InvalidCursorError("the cursor is not one this service gave out for this listing") from None
    if place[0].tzinfo is None:
        raise InvalidCursorError("the cursor is not one this service gave out for this listing")
    return place


def _order(request: OrderRequest, api_version: str, prices_cents: dict[int, int], *, now: datetime) -> Order:
    lines = [
        OrderLine(
            line_no=number,
            product_id=line.product_id,
            quantity=line.quantity,
            unit_price_cents=prices_cents[line.product_id],
        )
        for number, line in enumerate(request.lines, start=1)
    ]
    return Order(
        id=uuid.uuid4(),
        account_id=request.account_id,
        status=OrderStatus.PENDING,
        api_version=api_version,
        amount_cents=sum(line.quantity * line.unit_price_cents for line in lines),
        idempotency_key=request.idempotency_key,
        request_digest=request.digest() if request.idempotency_key else None,
        created_at=now,
        lines=lines,
    )
