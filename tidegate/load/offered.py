"""Offered load as a few straight pieces, and the arrivals that it means.

A load is what is asked for, not what the service makes of it. Both kinds of loop are derived from the same
pieces: the open loop from the arrivals, the closed loop from the rate, at so many requests a second a user.
"""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tidegate.load.schedule import Arrivals


class Phase(NamedTuple):
    """A piece of a load over which the rate changes evenly."""

    seconds: float
    from_rps: float
    """Requests a second at its beginning."""
    to_rps: float
    """Requests a second at its end."""

    @property
    def requests(self) -> float:
        """Mean number of requests in it."""
        return self.seconds * (self.from_rps + self.to_rps) / 2


def held(seconds: float, rps: float) -> Phase:
    """Return a piece of constant rate."""
    return Phase(seconds, rps, rps)


class Profile:
    """The rate at any moment of a load.

    Args:
        phases: the pieces in order; those of no length are left out.
    """

    def __init__(self, phases: Iterable[Phase]) -> None:
        self._phases: Sequence[Phase] = [phase for phase in phases if phase.seconds > 0]
        self._ends = list(itertools.accumulate(phase.seconds for phase in self._phases))

    @property
    def seconds(self) -> float:
        """How long the load lasts."""
        return self._ends[-1] if self._ends else 0.0

    @property
    def requests(self) -> float:
        """Mean number of requests in all."""
        return math.fsum(phase.requests for phase in self._phases)

    def rps_at(self, elapsed_s: float) -> float:
        """Return the rate `elapsed_s` after the start; at a step that of the piece that begins there."""
        if not self._phases:
            return 0.0
        index = min(bisect.bisect_right(self._ends, elapsed_s), len(self._phases) - 1)
        phase = self._phases[index]
        into = elapsed_s - (self._ends[index] - phase.seconds)
        share = min(1.0, max(0.0, into / phase.seconds))
        return phase.from_rps + (phase.to_rps - phase.from_rps) * share


def arrival_offsets(phases: Iterable[Phase], arrivals: Arrivals, seed: int | str) -> Iterator[float]:
    """Yield when each request is meant to start, seconds after the load's start, in order.

    With `poisson` the arrivals are a Poisson process whose rate is that of the phases: a process of rate one,
    mapped through the inverse of the expected count (time rescaling; Cinlar, "Introduction to Stochastic
    Processes", 1975). With `constant` the expected count grows by exactly one from each to the next. One at
    a time, so that a load of any length needs no memory.
    """
    targets = _unit_poisson(random.Random(seed)) if arrivals == "poisson" else itertools.count(0.5)  # noqa: S311
    target = next(targets)
    begun_s = expected = 0.0
    for phase in phases:
        seconds, low, high = phase
        if seconds <= 0:
            continue
        ends = expected + phase.requests
        slope = (high - low) / seconds
        while target < ends:
            # The stable root of slope/2 t^2 + low t = rest; it has no division by the slope.
            rest = target - expected
            yield begun_s + 2 * rest / (low + math.sqrt(low * low + 2 * rest * slope))
            target = next(targets)
        begun_s, expected = begun_s + seconds, ends


def _unit_poisson(draw: random.Random) -> Iterator[float]:
    at = 0.0
    while True:
        at += draw.expovariate(1.0)
        yield at
