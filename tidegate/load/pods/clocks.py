"""How far a pod's clock is from the one of this machine, by which the Run tells all times."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tidegate.run import MetricRow, labels_text

CLOCK, WITHIN = "generator_clock_s", "generator_clock_within_s"
"""Series: the pod's clock less this machine's, and how wrong that may be."""
ASKS = 5


@dataclass(frozen=True)
class Offset:
    """A pod's clock less this machine's."""

    t_s: float
    """When it was read, unix seconds of this machine."""
    offset_s: float
    within_s: float
    """It is wrong by no more than this: half of the time the question took there and back."""

    def rows(self, pod: str) -> list[MetricRow]:
        """Return it as samples of the Run."""
        labels = labels_text({"host": pod})
        values = ((CLOCK, self.offset_s), (WITHIN, self.within_s))
        return [MetricRow(self.t_s, self.t_s, name, labels, value, None) for name, value in values]


def compare(ask: Callable[[], float], *, asks: int = ASKS, clock: Callable[[], float] = time.time) -> Offset:
    """Read a distant clock several times; the answer that came quickest tells most (Cristian, "Probabilistic
    clock synchronization", 1989).

    Args:
        ask: returns the distant clock's unix seconds.
        asks: how often.
        clock: this machine's unix seconds.
    """
    found: list[Offset] = []
    for _ in range(asks):
        asked_s = clock()
        told_s = ask()
        answered_s = clock()
        middle_s = (asked_s + answered_s) / 2
        found.append(Offset(middle_s, told_s - middle_s, (answered_s - asked_s) / 2))
    return min(found, key=lambda each: each.within_s)
