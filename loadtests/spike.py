"""Spike: steady low load, a step up held for a while, and a step back.

Shows how long the service is short of pods, and whether stepping back loses requests.

    locust -f loadtests/spike.py --host http://127.0.0.1:8080 --headless --spike-users 30
"""

from __future__ import annotations

from _shopper import Shopper
from pydantic import Field

from tidegate.load.offered import Phase, held
from tidegate.load.parameters import LoadParameters
from tidegate.load.scenario import declare
from tidegate.load.shape import PlannedShape

__all__ = ["Shopper", "Spike"]


class SpikeParameters(LoadParameters):
    """Steady load, a step up, a step back."""

    base_users: int = Field(default=4, ge=1, le=5000, description="Users before and after the spike.")
    spike_users: int = Field(default=36, ge=1, le=5000, description="Users during the spike.")
    warm_s: float = Field(default=30.0, ge=0, le=3600, description="Seconds of steady load before the spike.")
    spike_s: float = Field(default=120.0, gt=0, le=3600, description="Seconds the spike is held.")
    cool_s: float = Field(default=45.0, ge=0, le=3600, description="Seconds of steady load after it.")

    @property
    def phases(self) -> list[Phase]:
        """Three steps; all users of a step come and go at once."""
        base, spike = self.base_users * self.rps, self.spike_users * self.rps
        return [held(self.warm_s, base), held(self.spike_s, spike), held(self.cool_s, base)]


scenario = declare(SpikeParameters)


class Spike(PlannedShape):
    """The spike as Locust asks for it."""

    scenario = scenario
