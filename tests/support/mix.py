"""What the callers of the acceptance tests ask for."""

from __future__ import annotations

from collections.abc import Callable

from support.balancer import Call
from support.login import bearer

ACCOUNTS = 50


def shoppers() -> Callable[[int], Call]:
    """Of ten requests six read products, two read orders, and one places an order of each version."""
    tokens = [bearer(number) for number in range(1, ACCOUNTS + 1)]
    order = b'{"lines": [{"product_id": 3, "quantity": 1}]}'

    def make(number: int) -> Call:
        token, kind = tokens[number % ACCOUNTS], number % 10
        if kind < 3:
            return Call("GET", f"/api/v1/products/{number % 200 + 1}", token, route="v1 product")
        if kind < 6:
            return Call("GET", f"/api/v2/products?limit={number % 20 + 1}", token, route="v2 products")
        if kind < 8:
            return Call("GET", "/api/v2/orders?limit=5", token, route="v2 orders")
        version = "v2" if kind == 8 else "v1"
        return Call("POST", f"/api/{version}/orders", token, order, f"{version} order")

    return make
