"""Steady: one number of users for a while. The ground on which a fault or a policy is compared.

locust -f loadtests/steady.py --host http://127.0.0.1:8080 --headless --steady-users 10
"""

from __future__ import annotations

from _shopper import Shopper
from pydantic import Field

from tidegate.load.offered import Phase, held
from tidegate.load.parameters import LoadParameters
from tidegate.load.scenario import declare
from tidegate.load.shape import PlannedShape

__all__ = ["Shopper", "Steady"]


class SteadyParameters(LoadParameters):
    """One number of users for a while."""

    steady_users: int = Field(default=8, ge=1, le=5000, description="Users throughout.")
    steady_s: float = Field(default=120.0, gt=0, le=7200, description="Seconds the load lasts.")

    @property
    def phases(self) -> list[Phase]:
        """All users at once, until the time is over."""
        return [held(self.steady_s, self.steady_users * self.rps)]


scenario = declare(SteadyParameters)


class Steady(PlannedShape):
    """The steady load as Locust asks for it."""

    scenario = scenario
