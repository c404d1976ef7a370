"""Flash crowd: a link goes round, everybody comes within seconds and loses interest over minutes.

Shows what happens before the autoscaler can have reacted at all. The load is one of arrivals: strangers do
not wait for each other's answers.

    locust -f loadtests/flash_crowd.py --host http://127.0.0.1:8080 --headless --peak-rps 80 --rise-s 5
"""

from __future__ import annotations

import math

from _shopper import Shopper
from pydantic import Field

from tidegate.load.offered import Phase, held
from tidegate.load.parameters import LoadParameters, Loop, arrivals_by_default
from tidegate.load.scenario import declare
from tidegate.load.shape import PlannedShape

__all__ = ["FlashCrowd", "Shopper"]

_PIECES = 40
"""Straight pieces of the decay."""
_HALF_LIVES = 5
"""Length of the decay; a thirty-second of the crowd is left then."""


class FlashCrowdParameters(LoadParameters):
    """Everybody comes at once and loses interest slowly."""

    loop: Loop = arrivals_by_default()
    base_rps: float = Field(default=4.0, ge=0, le=10_000, description="Requests a second before the crowd.")
    peak_rps: float = Field(default=60.0, gt=0, le=10_000, description="Requests a second at its height.")
    warm_s: float = Field(default=30.0, ge=0, le=3600, description="Seconds before the crowd.")
    rise_s: float = Field(default=10.0, ge=0, le=3600, description="Seconds until its height.")
    hold_s: float = Field(default=30.0, ge=0, le=3600, description="Seconds at its height.")
    half_life_s: float = Field(
        default=30.0, gt=0, le=3600, description="Seconds in which half of the crowd leaves; it lasts five."
    )

    @property
    def phases(self) -> list[Phase]:
        """A level, a steep slope, a height, an exponential decay."""
        crowd_rps = self.peak_rps - self.base_rps
        piece_s = _HALF_LIVES * self.half_life_s / _PIECES

        def rps(piece: int) -> float:
            return self.base_rps + crowd_rps * math.exp2(-piece * _HALF_LIVES / _PIECES)

        return [
            held(self.warm_s, self.base_rps),
            Phase(self.rise_s, self.base_rps, self.peak_rps),
            held(self.hold_s, self.peak_rps),
            *(Phase(piece_s, rps(piece), rps(piece + 1)) for piece in range(_PIECES)),
        ]


scenario = declare(FlashCrowdParameters)


class FlashCrowd(PlannedShape):
    """The crowd as Locust asks for it."""

    scenario = scenario
