"""Requests a second as Prometheus tells them to an adapter: counters, scraped, and `rate` over a window.

The alternative to metrics-server. `rate` is that of Prometheus v3 (promql/functions.go, extrapolatedRate): a
window that is open to the left, resets added back, and the ends extrapolated, by half a gap where a sample is
missing, never below zero. A target is scraped at its own moment of each interval (scrape/target.go, offset).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

Sample = tuple[float, float]
"""Moment, seconds, and the counter's value."""
_NEAR = 1.1
"""An end is extrapolated in full when it is within so many mean gaps."""


def rate(samples: Sequence[Sample], at_s: float, window_s: float) -> float | None:
    """Return `rate(counter[window])` at `at_s`, a second; None with fewer than two samples in the window.

    Args:
        samples: of one counter, in order.
        at_s: the moment of the query, seconds.
        window_s: the window that ends there, seconds.
    """
    inside = [one for one in samples if at_s - window_s < one[0] <= at_s]
    if len(inside) < 2:
        return None
    (first_s, first), (last_s, last) = inside[0], inside[-1]
    rise = last - first + sum(before for (_, before), (_, after) in pairwise(inside) if after < before)
    span_s = last_s - first_s
    gap_s = span_s / (len(inside) - 1)
    before_s, after_s = first_s - (at_s - window_s), at_s - last_s
    if before_s >= gap_s * _NEAR:
        before_s = gap_s / 2
    if rise > 0 and first >= 0:
        before_s = min(before_s, span_s * first / rise)  # a counter began at zero
    if after_s >= gap_s * _NEAR:
        after_s = gap_s / 2
    return rise * (span_s + before_s + after_s) / span_s / window_s


class Series:
    """What was scraped of one counter, as far back as a window reaches.

    Args:
        window_s: seconds that `rate` looks back.
    """

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self._samples = deque[Sample]()

    def scraped(self, now_s: float, value: float) -> None:
        """Add a sample."""
        self._samples.append((now_s, value))
        while self._samples[0][0] <= now_s - self.window_s:
            self._samples.popleft()

    def rate(self, now_s: float) -> float | None:
        """Return the rate that a query gets now; None without two samples."""
        return rate(tuple(self._samples), now_s, self.window_s)
