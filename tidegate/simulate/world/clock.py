"""The clock: what happens in which order.

Discrete events, in the order of their time and then of their making, so that a seed gives the same run on
every machine.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Clock:
    """The time, seconds, and what is to come."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._made = 0

    def at(self, moment_s: float, what: Callable[[], None]) -> None:
        """Let `what` happen at `moment_s`."""
        self._made += 1
        heapq.heappush(self._heap, (moment_s, self._made, what))

    def until(self, moment_s: float) -> None:
        """Let everything happen that comes before or at `moment_s`."""
        while self._heap and self._heap[0][0] <= moment_s:
            self.now_s, _, what = heapq.heappop(self._heap)
            what()
        self.now_s = moment_s
