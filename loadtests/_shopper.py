"""A shopper of the service: looks around, looks closer, orders, and asks what became of the order."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from locust import events, task
from locust.contrib.fasthttp import FastResponse
from locust.exception import StopUser

from tidegate.errors import TidegateError
from tidegate.load.handover import PASSWORD_VARIABLE
from tidegate.load.ledger import note_attempt
from tidegate.load.pacing import PacedUser, Task, Visitor
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


@dataclass
class Customer(Visitor):
    """A visitor with an account."""

    account: str = ""
    products: list[int] = field(default_factory=list[int])
    """Products seen."""
    pending: str | None = None
    """Path of the order that the queue has not decided yet."""
    polls: int = 0
    """Times it was asked for."""
    poll_from_s: float = 0.0
    """Monotonic time before which it is not asked for again."""
    logging_in: bool = False


class Shopper(PacedUser):
    """Out of ten requests about six look around, three order, and one goes to the queue.

    Before the first order it logs in, once. The queue's order is followed by polls in the next slots until
    it is decided, as its buyer would. In an open loop the customers are the accounts, and every arrival is
    one of them, drawn at random.
    """

    visitors = _ACCOUNTS

    @property
    def customer(self) -> Customer:
        """Who the request is sent for."""
        return cast("Customer", self.visitor)

    def make_visitor(self, number: int) -> Customer:
        """Return a customer with one of the seeded accounts."""
        return Customer(number, account=f"acct-{1 + number % _ACCOUNTS:04d}")

    def choose_task(self) -> Task:
        """Return the next task; a first look and the login come before anything that needs them."""
        customer = self.customer
        if not customer.products:
            return Shopper.list_products
        if not self.authorized:
            # Arrivals do not wait for each other: while one logs in, the next looks around.
            return Shopper.list_products if customer.logging_in else Shopper.log_in
        if customer.pending is not None and time.monotonic() >= customer.poll_from_s:
            return Shopper.poll_order
        return super().choose_task()

    def log_in(self) -> None:
        """Trade the account's password for a token; tried again in the next slot until it works."""
        customer = self.customer
        password = os.environ.get(PASSWORD_VARIABLE, "")
        form = {"grant_type": "password", "username": customer.account, "password": password}
        customer.logging_in = True
        try:
            response = self.send("POST", "/api/v2/auth/token", route="/api/v2/auth/token", form=form)
        finally:
            customer.logging_in = False
        if response.status_code == 200:
            self.authorize(str(answer(response)["access_token"]))

    @task(3)
    def list_products(self) -> None:
        """Look around."""
        customer = self.customer
        response = self.send("GET", f"/api/v1/products?limit={_PAGE}", route="/api/v1/products")
        if response.status_code == 200:
            customer.products = [int(item["id"]) for item in answer(response)["items"]]

    @task(3)
    def get_product(self) -> None:
        """Look closer."""
        product = self.draw.choice(self.customer.products)
        self.send("GET", f"/api/v1/products/{product}", route="/api/v1/products/{id}")

    @task(3)
    def order(self) -> None:
        """Order, and wait while the fraud check computes."""
        self.place("/api/v1/orders", self.basket())

    @task(1)
    def order_later(self) -> None:
        """Order, and leave the fraud check to the queue."""
        customer = self.customer
        response = self.place("/api/v2/orders", self.basket())
        location = response.headers.get("Location") if response.headers is not None else None
        if response.status_code == 202 and isinstance(location, str):
            # Only the path: it is never followed to another host.
            customer.pending, customer.polls = urlsplit(location).path, 0
            self._poll_later()

    def poll_order(self) -> None:
        """Ask what became of the queued order."""
        customer = self.customer
        path, customer.polls = customer.pending or "", customer.polls + 1
        self._poll_later()
        response = self.send("GET", path, route="/api/v2/orders/{id}")
        pending = response.status_code == 200 and answer(response).get("status") == "pending"
        if not pending or customer.polls >= _POLLS:
            customer.pending = None

    def _poll_later(self) -> None:
        """Keep polls as far apart as in a closed loop, also when the customer comes again at once."""
        wait_s = 1 / self.parameters.rps if self.open_loop else 0.0
        self.customer.poll_from_s = time.monotonic() + wait_s

    def place(self, path: str, order: dict[str, Any]) -> FastResponse:
        """Send an order, and note what was said about it: whether it is kept is asked after the load."""
        account, began_s, acknowledged, sent = self.customer.account, time.time(), None, True
        try:
            response = self.send("POST", path, route=path, json=order)
            if response.status_code in (201, 202):
                acknowledged = answer(response).get("id")
        except StopUser:
            sent = False  # a bound was reached before
            raise
        finally:
            # Also when the user is stopped while it waits: the order may be made all the same.
            if sent:
                note_attempt(account, began_s, acknowledged)
        return response

    def basket(self) -> dict[str, Any]:
        """Return an order of one product."""
        customer = self.customer
        return {
            "account_id": customer.account,
            "lines": [
                {"product_id": self.draw.choice(customer.products), "quantity": self.draw.randint(1, 3)}
            ],
        }


def answer(response: FastResponse) -> dict[str, Any]:
    """Return the JSON object of a response."""
    return cast("dict[str, Any]", response.json())  # pyright: ignore[reportUnknownMemberType]
