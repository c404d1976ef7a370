"""Ramp: load that grows evenly from one level to another and is held there.

Shows whether the autoscaler follows a growth it has time for, and at which load it no longer does.

    locust -f loadtests/ramp.py --host http://127.0.0.1:8080 --headless --to-users 40 --ramp-s 300
"""

from __future__ import annotations

from _shopper import Shopper
from pydantic import Field

from tidegate.load.offered import Phase, held
from tidegate.load.parameters import LoadParameters
from tidegate.load.scenario import declare
from tidegate.load.shape import PlannedShape

__all__ = ["Ramp", "Shopper"]


class RampParameters(LoadParameters):
    """Load that grows evenly and is held."""

    from_users: int = Field(default=2, ge=0, le=5000, description="Users at the start.")
    to_users: int = Field(default=36, ge=1, le=5000, description="Users at the end of the ramp.")
    ramp_s: float = Field(default=180.0, gt=0, le=7200, description="Seconds from one to the other.")
    hold_s: float = Field(default=60.0, ge=0, le=7200, description="Seconds the end is held.")

    @property
    def phases(self) -> list[Phase]:
        """A slope and a level."""
        low, high = self.from_users * self.rps, self.to_users * self.rps
        return [Phase(self.ramp_s, low, high), held(self.hold_s, high)]


scenario = declare(RampParameters)


class Ramp(PlannedShape):
    """The ramp as Locust asks for it."""

    scenario = scenario
