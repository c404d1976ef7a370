"""Steady: one number of users for a while. The ground on which a fault or a policy is compared.

locust -f loadtests/steady.py --host http://127.0.0.1:8080 --headless --steady-users 10
"""

from __future__ import annotations

from _shopper import Shopper
from locust import LoadTestShape
from pydantic import Field

from tidegate.load.parameters import LoadParameters
from tidegate.load.scenario import declare

__all__ = ["Shopper", "Steady"]


class SteadyParameters(LoadParameters):
    """One number of users for a while."""

    steady_users: int = Field(default=8, ge=1, le=5000, description="Users throughout.")
    steady_s: float = Field(default=120.0, gt=0, le=7200, description="Seconds the load lasts.")

    @property
    def planned_s(self) -> float:
        """Seconds the load lasts."""
        return self.steady_s


scenario = declare(SteadyParameters)


class Steady(LoadTestShape):
    """All users at once, until the time is over."""

    def tick(self) -> tuple[int, float] | None:
        """Return users and users per second, None when the load is over."""
        if scenario.exhausted(self.get_run_time()):
            return None
        return scenario.parameters.steady_users, scenario.parameters.steady_users
