"""When a user means to send its requests, decided before it knows how long they take.

A user that waits for each answer before it plans the next request slows down exactly when the service
does, and the requests it then never sent are the ones that would have been slow ("coordinated omission",
Gil Tene, "How NOT to Measure Latency"). So the plan is made apart from the answers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Literal

Arrivals = Literal["poisson", "constant"]

_JITTER = 0.1
"""Share of the interval by which a constant schedule moves each start, to either side. Below one half,
so that starts keep their order; not zero, so that users do not beat in step with a periodic scrape."""


class Schedule:
    """The planned starts of one user, at a fixed mean rate, the same for the same seed.

    Args:
        rate_per_s: mean starts per second; above zero.
        arrivals: `poisson` draws independent gaps, so load comes in clumps as from many strangers;
            `constant` spaces starts evenly from a random phase, each moved by up to a tenth of the interval.
        seed: decides every draw.
        start_s: the schedule's zero, in any clock; no start is planned before it.
    """

    def __init__(self, *, rate_per_s: float, arrivals: Arrivals, seed: int | str, start_s: float) -> None:
        if not rate_per_s > 0:
            raise ValueError(f"rate_per_s must be above zero, not {rate_per_s}")
        self._starts = _starts(random.Random(seed), 1 / rate_per_s, arrivals, start_s)  # noqa: S311
        self._next_s = next(self._starts)

    def take(self) -> float:
        """Return the next planned start and move on. Being late does not move it."""
        planned_s = self._next_s
        self._next_s = next(self._starts)
        return planned_s

    def drop_until(self, now_s: float) -> int:
        """Move past every start planned up to `now_s`, and return how many those were."""
        dropped = 0
        while self._next_s <= now_s:
            self.take()
            dropped += 1
        return dropped


def _starts(draw: random.Random, interval_s: float, arrivals: Arrivals, start_s: float) -> Iterator[float]:
    if arrivals == "poisson":
        planned_s = start_s
        while True:
            planned_s += draw.expovariate(1 / interval_s)
            yield planned_s
    # From the phase on by multiplication, not by adding up: rounding errors must not change the rate.
    phase_s = start_s + interval_s * draw.uniform(_JITTER, 1)
    count = 0
    while True:
        yield phase_s + interval_s * (count + draw.uniform(-_JITTER, _JITTER))
        count += 1
