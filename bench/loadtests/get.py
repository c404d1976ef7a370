"""Get: nothing but `GET /`, at a given rate. Measures the generator and its recorder, and no service."""

from __future__ import annotations

from locust import task
from pydantic import Field

from tidegate.load.offered import Phase, held
from tidegate.load.pacing import PacedUser
from tidegate.load.parameters import LoadParameters, Loop, arrivals_by_default
from tidegate.load.scenario import declare
from tidegate.load.shape import PlannedShape


class GetParameters(LoadParameters):
    """One rate for a while."""

    loop: Loop = arrivals_by_default()
    rate_rps: float = Field(default=100.0, gt=0, le=100_000, description="Requests a second.")
    get_s: float = Field(default=10.0, gt=0, le=3600, description="Seconds the load lasts.")

    @property
    def phases(self) -> list[Phase]:
        """One level."""
        return [held(self.get_s, self.rate_rps)]


scenario = declare(GetParameters)


class Get(PlannedShape):
    """The load as Locust asks for it."""

    scenario = scenario


class Getter(PacedUser):
    """Gets one page."""

    visitors = 1

    @task
    def get(self) -> None:
        """Get it."""
        self.send("GET", "/", route="/")
