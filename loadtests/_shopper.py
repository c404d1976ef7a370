"""A shopper of the service: looks around, looks closer, orders, and asks what became of the order."""

from __future__ import annotations

import os
from typing import Any, cast
from urllib.parse import urlsplit

from locust import events, task
from locust.contrib.fasthttp import FastResponse

from tidegate.errors import TidegateError
from tidegate.load.handover import PASSWORD_VARIABLE
from tidegate.load.pacing import PacedUser, Task
from tidegate.load.scenario import refuse

_PAGE = 20
_ACCOUNTS = 50
"""Accounts the service is seeded with."""
_POLLS = 8
"""Slots spent asking for one order before it is let be; its fate is then the queue age's to tell."""


@events.init.add_listener  # pyright: ignore[reportUnknownMemberType]
def require_password(**_: Any) -> None:
    """End the process when nobody could log in: a load of refusals measures nothing."""
    if not os.environ.get(PASSWORD_VARIABLE):
        refuse(
            TidegateError(
                "no password of the seeded accounts",
                cure=f"set {PASSWORD_VARIABLE}; docs/load.md tells where it is",
            )
        )


class Shopper(PacedUser):
    """Out of ten requests about six look around, three order, and one goes to the queue.

    Before the first order it logs in, once. The queue's order is followed by polls in the next slots until
    it is decided, as its buyer would.
    """

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._account = f"acct-{1 + self.number % _ACCOUNTS:04d}"
        self._password = os.environ.get(PASSWORD_VARIABLE, "")
        self._products: list[int] = []
        self._pending: str | None = None
        self._polls = 0

    def choose_task(self) -> Task:
        """Return the next task; a first look and the login come before anything that needs them."""
        if not self._products:
            return Shopper.list_products
        if not self.authorized:
            return Shopper.log_in
        if self._pending is not None:
            return Shopper.poll_order
        return super().choose_task()

    def log_in(self) -> None:
        """Trade the accounts' password for a token; tried again in the next slot until it works."""
        form = {"grant_type": "password", "username": self._account, "password": self._password}
        response = self.send("POST", "/api/v2/auth/token", route="/api/v2/auth/token", form=form)
        if response.status_code == 200:
            self.authorize(str(_json(response)["access_token"]))

    @task(3)
    def list_products(self) -> None:
        """Look around."""
        response = self.send("GET", f"/api/v1/products?limit={_PAGE}", route="/api/v1/products")
        if response.status_code == 200:
            self._products = [int(item["id"]) for item in _json(response)["items"]]

    @task(3)
    def get_product(self) -> None:
        """Look closer."""
        product = self.draw.choice(self._products)
        self.send("GET", f"/api/v1/products/{product}", route="/api/v1/products/{id}")

    @task(3)
    def order(self) -> None:
        """Order, and wait while the fraud check computes."""
        self.send("POST", "/api/v1/orders", route="/api/v1/orders", json=self._basket())

    @task(1)
    def order_later(self) -> None:
        """Order, and leave the fraud check to the queue."""
        response = self.send("POST", "/api/v2/orders", route="/api/v2/orders", json=self._basket())
        location = response.headers.get("Location") if response.headers is not None else None
        if response.status_code == 202 and isinstance(location, str):
            self._pending, self._polls = urlsplit(location).path, 0  # never follow it to another host

    def poll_order(self) -> None:
        """Ask what became of the queued order."""
        path, self._polls = self._pending or "", self._polls + 1
        response = self.send("GET", path, route="/api/v2/orders/{id}")
        pending = response.status_code == 200 and _json(response).get("status") == "pending"
        if not pending or self._polls >= _POLLS:
            self._pending = None

    def _basket(self) -> dict[str, Any]:
        return {
            "account_id": self._account,
            "lines": [{"product_id": self.draw.choice(self._products), "quantity": self.draw.randint(1, 3)}],
        }


def _json(response: FastResponse) -> dict[str, Any]:
    return cast("dict[str, Any]", response.json())  # pyright: ignore[reportUnknownMemberType]
