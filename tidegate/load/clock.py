"""One clock for the load generator: unix time that cannot jump."""

from __future__ import annotations

import time
from collections.abc import Callable


class AnchoredClock:
    """Unix seconds counted on from one reading of the wall clock by the monotonic clock.

    A step of the wall clock (NTP, a suspended virtual machine) would otherwise bend every latency that is
    taken across it. The price is that the clock stays where the wall clock was; `drift_s` says how far off.

    Args:
        wall: unix seconds.
        monotonic: seconds that never go back.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        # The wall clock is read between two readings of the other, so that an interruption cannot shift it.
        before_s = monotonic()
        wall_s = wall()
        self._offset_s = wall_s - (before_s + monotonic()) / 2

    def unix_s(self, monotonic_s: float) -> float:
        """Return the unix time of a reading of the monotonic clock."""
        return monotonic_s + self._offset_s

    def now_s(self) -> float:
        """Return the unix time now."""
        return self.unix_s(self._monotonic())

    def drift_s(self) -> float:
        """Return how far the wall clock has moved ahead of this one since the start, in seconds."""
        return self._wall() - self.now_s()
