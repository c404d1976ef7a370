"""From stored rows to what the fraud model reads."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from app.db.models import Order
from app.repositories.orders import HistoryRow
from app.services.fraud import PlacedOrder, product_bits


def placed_orders(rows: Iterable[HistoryRow]) -> list[PlacedOrder]:
    """One item an order, its lines' products joined."""
    orders: dict[uuid.UUID, PlacedOrder] = {}
    for row in rows:
        earlier = orders.get(row.order_id)
        orders[row.order_id] = PlacedOrder(
            row.created_at.timestamp(),
            row.amount_cents,
            product_bits([row.product_id]) | (earlier.products if earlier else 0),
        )
    return list(orders.values())


def placed_order(order: Order) -> PlacedOrder:
    """An order, its lines loaded, as the model sees it."""
    return PlacedOrder(
        order.created_at.timestamp(),
        order.amount_cents,
        product_bits([line.product_id for line in order.lines]),
    )
