"""Checkout: whole journeys, each by a stranger who logs in, looks around, orders, and waits for the decision.

Shows what a buyer meets and not what a request meets: how many came to a decision. Open (`--loop
open`) journeys begin when they are due, and only their own steps wait for each other.

    locust -f loadtests/checkout.py --host http://127.0.0.1:8080 --headless --buyers 20
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import _shopper
from locust import events, task
from pydantic import Field

from tidegate.load.offered import Phase, held
from tidegate.load.pacing import Task
from tidegate.load.parameters import LoadParameters
from tidegate.load.scenario import declare
from tidegate.load.shape import PlannedShape

__all__ = ["Buyer", "Checkout"]

_STEPS = 4
"""Requests of a journey besides those that look at a product: log in, list, order, ask once."""


class CheckoutParameters(LoadParameters):
    """Whole journeys: log in, browse, order, ask until it is decided."""

    buyers: int = Field(
        default=8, ge=1, le=5000, description="Buyers at a time; each plans rps requests a second."
    )
    checkout_s: float = Field(default=120.0, gt=0, le=7200, description="Seconds the load lasts.")
    looks: int = Field(default=3, ge=1, le=50, description="Products a buyer looks at before ordering.")
    decide_s: float = Field(
        default=30.0, gt=0, le=600, description="Seconds a buyer asks for the decision before giving up."
    )

    @property
    def phases(self) -> list[Phase]:
        """One level."""
        return [held(self.checkout_s, self.buyers * self.rps)]

    @property
    def requests_per_arrival(self) -> float:
        """Requests of a journey whose order is decided when it is first asked for."""
        return float(_STEPS + self.looks)


scenario = declare(CheckoutParameters)


class Checkout(PlannedShape):
    """The buyers as Locust asks for them."""

    scenario = scenario


@dataclass
class Journeys:
    """How the journeys of this process ended."""

    begun: int = 0
    decided: int = 0
    failed: int = 0
    """Given up at a step that was answered badly, or not at all."""
    undecided: int = 0


journeys = Journeys()


class Buyer(_shopper.Shopper):
    """One journey after the other, each as somebody else."""

    def choose_task(self) -> Task:
        """Return the journey."""
        return Buyer.buy

    @task
    def buy(self) -> None:
        """Log in, look around, order, ask until it is decided; end where a step leaves no way on."""
        self.visitor = self.make_visitor(self.number + journeys.begun)
        journeys.begun += 1
        self.log_in()
        if not self.authorized:
            journeys.failed += 1
            return
        self.turn()
        self.list_products()
        if not self.customer.products:
            journeys.failed += 1
            return
        for _ in range(scenario.parameters.looks):
            self.turn()
            self.get_product()
        self.turn()
        self.order_later()
        if self.customer.pending is None:
            journeys.failed += 1
            return
        self._await_decision(self.customer.pending)

    def _await_decision(self, path: str) -> None:
        ends_s = time.monotonic() + scenario.parameters.decide_s
        while time.monotonic() < ends_s:
            self.turn()
            response = self.send("GET", path, route="/api/v2/orders/{id}")
            if response.status_code != 200:
                journeys.failed += 1
                return
            if _shopper.answer(response).get("status") != "pending":
                journeys.decided += 1
                return
        journeys.undecided += 1


@events.test_stop.add_listener  # pyright: ignore[reportUnknownMemberType]
def tell(**_: Any) -> None:
    """Say in the Run how the journeys ended; those that the end cut short are the rest."""
    if scenario.notes is not None:
        scenario.notes.note(
            "info",
            f"checkout: {journeys.begun} journeys begun, {journeys.decided} decided, "
            f"{journeys.failed} failed, {journeys.undecided} undecided "
            f"after {scenario.parameters.decide_s:g} s",
        )
