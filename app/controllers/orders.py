"""Orders for the wire, in both versions."""

from __future__ import annotations

import uuid

from app.core.exceptions import ForeignAccountError
from app.db.models import Order, OrderStatus
from app.schemas.orders import FraudOut, OrderIn, OrderLineOut, OrderOutV1, OrderOutV2, OrderPageOut
from app.services.orders import LineRequest, OrderRequest, OrderService


class OrderController:
    """Places and shows the orders of one account, the caller's."""

    def __init__(self, orders: OrderService, account_id: str) -> None:
        self._orders = orders
        self._account_id = account_id

    async def place_decided(self, body: OrderIn, idempotency_key: str | None) -> OrderOutV1:
        """Place an order and decide it (v1)."""
        request = self._request(body, idempotency_key)
        return OrderOutV1.model_validate(await self._orders.place_decided(request))

    async def place_pending(self, body: OrderIn, idempotency_key: str | None) -> OrderOutV2:
        """Place an order to be decided later (v2)."""
        return order_v2(await self._orders.place_pending(self._request(body, idempotency_key)))

    async def get_v1(self, order_id: uuid.UUID) -> OrderOutV1:
        """Show an order (v1)."""
        return OrderOutV1.model_validate(await self._orders.get(order_id, self._account_id))

    async def get_v2(self, order_id: uuid.UUID) -> OrderOutV2:
        """Show an order (v2)."""
        return order_v2(await self._orders.get(order_id, self._account_id))

    async def page(self, status: OrderStatus | None, limit: int, cursor: str | None) -> OrderPageOut:
        """A page of orders (v2)."""
        page = await self._orders.page(self._account_id, status=status, limit=limit, cursor=cursor)
        return OrderPageOut(items=[order_v2(order) for order in page.items], next_cursor=page.next_cursor)

    def _request(self, body: OrderIn, idempotency_key: str | None) -> OrderRequest:
        if body.account_id not in (None, self._account_id):
            raise ForeignAccountError("an order can be placed for the caller's own account only")
        return OrderRequest(
            account_id=self._account_id,
            lines=tuple(LineRequest(line.product_id, line.quantity) for line in body.lines),
            idempotency_key=idempotency_key,
        )


def order_v2(order: Order) -> OrderOutV2:
    """An order as version 2 shows it."""
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
