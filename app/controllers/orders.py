"""Orders for the wire, in both versions."""

from __future__ import annotations

import uuid

from app.db.models import Order, OrderStatus
from app.schemas.orders import FraudOut, OrderIn, OrderLineOut, OrderOutV1, OrderOutV2
from app.services.orders import LineRequest, OrderRequest, OrderService


class OrderController:
    """Places and shows orders."""

    def __init__(self, orders: OrderService) -> None:
        self._orders = orders

    async def place_decided(self, body: OrderIn, idempotency_key: str | None) -> OrderOutV1:
        """Place an order and decide it (v1)."""
        return OrderOutV1.model_validate(await self._orders.place_decided(_request(body, idempotency_key)))

    async def place_pending(self, body: OrderIn, idempotency_key: str | None) -> OrderOutV2:
        """Place an order to be decided later (v2)."""
        return _v2(await self._orders.place_pending(_request(body, idempotency_key)))

    async def get_v1(self, order_id: uuid.UUID) -> OrderOutV1:
        """Show an order (v1)."""
        return OrderOutV1.model_validate(await self._orders.get(order_id))

    async def get_v2(self, order_id: uuid.UUID) -> OrderOutV2:
        """Show an order (v2)."""
        return _v2(await self._orders.get(order_id))


def _request(body: OrderIn, idempotency_key: str | None) -> OrderRequest:
    return OrderRequest(
        account_id=body.account_id,
        lines=tuple(LineRequest(line.product_id, line.quantity) for line in body.lines),
        idempotency_key=idempotency_key,
    )


def _v2(order: Order) -> OrderOutV2:
    decided = order.status != OrderStatus.PENDING
    return OrderOutV2(
        id=order.id,
        account_id=order.account_id,
        status=OrderStatus(order.status),
        amount_cents=order.amount_cents,
        lines=[OrderLineOut.model_validate(line) for line in order.lines],
        created_at=order.created_at,
        decided_at=order.decided_at,
        fraud=FraudOut(score=order.fraud_score, reasons=order.fraud_reasons or []) if decided else None,
    )
