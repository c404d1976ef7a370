"""Soak: a moderate load held for long.

Shows what grows with time and not with load: memory, connections, queues, tables.

    locust -f loadtests/soak.py --host http://127.0.0.1:8080 --headless --soak-s 3600
"""

from __future__ import annotations

from _shopper import Shopper
from pydantic import Field

from tidegate.load.offered import Phase, held
from tidegate.load.parameters import LoadParameters
from tidegate.load.scenario import declare
from tidegate.load.shape import PlannedShape

__all__ = ["Shopper", "Soak"]


class SoakParameters(LoadParameters):
    """A moderate load held for long."""

    soak_users: int = Field(default=8, ge=1, le=5000, description="Users once all have come.")
    rise_s: float = Field(default=60.0, ge=0, le=3600, description="Seconds over which they come.")
    soak_s: float = Field(default=3600.0, gt=0, le=14_400, description="Seconds they stay.")
    max_requests: int = Field(
        default=200_000, ge=1, le=2_000_000, description="Requests after which the load ends."
    )
    max_duration_s: float = Field(
        default=7200.0, gt=0, le=14_400, description="Seconds after which the load ends."
    )

    @property
    def phases(self) -> list[Phase]:
        """A slope and a long level."""
        rps = self.soak_users * self.rps
        return [Phase(self.rise_s, 0.0, rps), held(self.soak_s, rps)]


scenario = declare(SoakParameters)


class Soak(PlannedShape):
    """The soak as Locust asks for it."""

    scenario = scenario
