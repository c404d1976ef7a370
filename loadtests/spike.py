"""Spike: steady low load, a step up held for a while, and a step back.

Shows how long the service is short of pods, and whether stepping back loses requests.

    locust -f loadtests/spike.py --host http://127.0.0.1:8080 --headless --spike-users 30
"""

from __future__ import annotations

from _shopper import Shopper
from locust import LoadTestShape
from pydantic import Field

from tidegate.load.parameters import LoadParameters
from tidegate.load.scenario import declare

__all__ = ["Shopper", "Spike"]


class SpikeParameters(LoadParameters):
    """Steady load, a step up, a step back."""

    base_users: int = Field(default=4, ge=1, le=5000, description="Users before and after the spike.")
    spike_users: int = Field(default=36, ge=1, le=5000, description="Users during the spike.")
    warm_s: float = Field(default=30.0, ge=0, le=3600, description="Seconds of steady load before the spike.")
    spike_s: float = Field(default=120.0, gt=0, le=3600, description="Seconds the spike is held.")
    cool_s: float = Field(default=45.0, ge=0, le=3600, description="Seconds of steady load after it.")

    @property
    def planned_s(self) -> float:
        """Seconds of the three phases together."""
        return self.warm_s + self.spike_s + self.cool_s

    def users_at(self, elapsed_s: float) -> int:
        """Return how many users there are `elapsed_s` after the start."""
        return self.spike_users if 0 <= elapsed_s - self.warm_s < self.spike_s else self.base_users


scenario = declare(SpikeParameters)


class Spike(LoadTestShape):
    """Two steps; all users of a step come and go at once."""

    def tick(self) -> tuple[int, float] | None:
        """Return users and users per second, None when the load is over."""
        elapsed_s = self.get_run_time()
        if scenario.exhausted(elapsed_s):
            return None
        users = scenario.parameters.users_at(elapsed_s)
        return users, max(users, self.get_current_user_count())
