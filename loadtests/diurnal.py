"""Diurnal: nights and days, compressed.

Shows whether capacity follows a slow wave without waste, and what the autoscaler does on the way down. The
load is one of arrivals: visitors do not come later because the service is slow.

    locust -f loadtests/diurnal.py --host http://127.0.0.1:8080 --headless --day-s 1200 --peak-rps 60
"""

from __future__ import annotations

import math

from _shopper import Shopper
from pydantic import Field

from tidegate.load.offered import Phase
from tidegate.load.parameters import LoadParameters, Loop, arrivals_by_default
from tidegate.load.scenario import declare
from tidegate.load.shape import PlannedShape

__all__ = ["Diurnal", "Shopper"]

_PIECES = 48
"""Straight pieces a day; a cosine is then off by less than 0.3 % of its height."""


class DiurnalParameters(LoadParameters):
    """Nights and days, compressed."""

    loop: Loop = arrivals_by_default()
    night_rps: float = Field(default=4.0, ge=0, le=10_000, description="Requests a second at midnight.")
    peak_rps: float = Field(default=36.0, gt=0, le=10_000, description="Requests a second at noon.")
    day_s: float = Field(default=600.0, gt=0, le=14_400, description="Seconds a day takes.")
    days: int = Field(default=1, ge=1, le=100, description="Days.")

    @property
    def phases(self) -> list[Phase]:
        """A cosine that begins at midnight."""

        def rps(piece: int) -> float:
            share = (1 - math.cos(2 * math.pi * piece / _PIECES)) / 2
            return self.night_rps + (self.peak_rps - self.night_rps) * share

        day = [Phase(self.day_s / _PIECES, rps(piece), rps(piece + 1)) for piece in range(_PIECES)]
        return day * self.days


scenario = declare(DiurnalParameters)


class Diurnal(PlannedShape):
    """The days as Locust asks for them."""

    scenario = scenario
