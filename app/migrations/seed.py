"""A shop with a past: products, accounts, and orders for the fraud model to learn an account from.

The same on every machine and in every run.
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, insert, select

from app.db.models import Account, Order, OrderLine, OrderStatus, Product
from app.services.fraud import HISTORY_LIMIT

PRODUCTS = 200
ACCOUNTS = 50
ORDERS_EACH = HISTORY_LIMIT
"""As many as the fraud model reads, so that a check costs the same from the first order on."""

_OPENED = datetime(2025, 1, 1, tzinfo=UTC)
_NAMESPACE = uuid.UUID("5f0f1c3e-3f0d-5b8e-9a54-6a1d1f6b7c20")
_MATERIALS = ("oak", "steel", "linen", "copper", "glass", "cork", "wool", "slate", "walnut", "clay")
_THINGS = {
    "kitchen": ("kettle", "pan", "board", "jar", "bowl"),
    "office": ("lamp", "tray", "stand", "clock", "frame"),
    "garden": ("pot", "trowel", "lantern", "bench", "hook"),
    "home": ("vase", "shelf", "basket", "mirror", "stool"),
}


def account_id(number: int) -> str:
    """The id of the account with this number, from 1."""
    return f"acct-{number:04d}"


def seed(connection: Connection) -> int:
    """Fill an empty shop; the number of orders added, 0 when the shop is full already.

    The caller's transaction makes it all or nothing, so one row tells whether it has been done.
    """
    if connection.scalar(select(Account.id).where(Account.id == account_id(ACCOUNTS))) is not None:
        return 0
    products = _products()
    connection.execute(insert(Product), products)
    connection.execute(insert(Account), _accounts())
    prices = [int(product["price_cents"]) for product in products]
    orders: list[dict[str, object]] = []
    lines: list[dict[str, object]] = []
    for number in range(1, ACCOUNTS + 1):
        _add_history(number, prices, orders, lines)
    connection.execute(insert(Order), orders)
    connection.execute(insert(OrderLine), lines)
    return len(orders)


def _products() -> list[dict[str, str | int]]:
    kinds = [(category, thing) for category, things in _THINGS.items() for thing in things]
    found: list[dict[str, str | int]] = []
    for index in range(PRODUCTS):
        category, thing = kinds[index % len(kinds)]
        material = _MATERIALS[index // len(kinds)]
        found.append(
            {
                "id": index + 1,
                "sku": f"TG-{index + 1:04d}",
                "name": f"{material} {thing}",
                "category": category,
                # Spread from 5 to 95 in no visible order.
                "price_cents": 500 + index * 7919 % 9000,
            }
        )
    return found


def _accounts() -> list[dict[str, object]]:
    return [
        {"id": account_id(number), "name": f"Customer {number}", "created_at": _OPENED}
        for number in range(1, ACCOUNTS + 1)
    ]


def _add_history(
    number: int, prices: list[int], orders: list[dict[str, object]], lines: list[dict[str, object]]
) -> None:
    """Give the account orders over some months; each account has its own pace and its own taste."""
    draw = random.Random(number)  # noqa: S311 - made-up data
    pace_h = draw.uniform(20, 60)
    taste = draw.sample(range(PRODUCTS), 40)
    placed = _OPENED
    for sequence in range(ORDERS_EACH):
        placed += timedelta(hours=pace_h * draw.uniform(0.5, 1.5))
        order_id = uuid.uuid5(_NAMESPACE, f"{number}/{sequence}")
        amount = 0
        for line_no, product in enumerate(draw.sample(taste, draw.randint(1, 3)), start=1):
            quantity = draw.randint(1, 3)
            amount += quantity * prices[product]
            lines.append(
                {
                    "order_id": order_id,
                    "line_no": line_no,
                    "product_id": product + 1,
                    "quantity": quantity,
                    "unit_price_cents": prices[product],
                }
            )
        orders.append(
            {
                "id": order_id,
                "account_id": account_id(number),
                "status": OrderStatus.ACCEPTED,
                "api_version": "v1",
                "amount_cents": amount,
                "fraud_score": None,
                "fraud_reasons": None,
                "created_at": placed,
                "decided_at": placed,
            }
        )
