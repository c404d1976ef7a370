"""What several repetitions say: never one figure without its range."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, middle and greatest of some values, and how many there were."""

    low: float
    median: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """The spread of the values; None when there are none, which is not the same as zero."""
        known = sorted(values)
        if not known:
            return None
        return cls(known[0], statistics.median(known), known[-1], len(known))

    def text(self, digits: int | None = None) -> str:
        """`median (low-high)`, with `digits` after the point or three significant ones."""
        median, low, high = (figure(value, digits) for value in (self.median, self.low, self.high))
        return f"{median} ({low} to {high})"


def figure(value: float, digits: int | None = None) -> str:
    """A number for a table: three significant digits unless told otherwise, thousands set apart."""
    if digits is None:
        digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed (nearest rank).

    Raises:
        ValueError: there are no values, or `percent` is not within 0 to 100.
    """
    if not values:
        raise ValueError("a percentile needs at least one value")
    if not 0 <= percent <= 100:
        raise ValueError(f"{percent} is not within 0 to 100")
    rank = max(1, math.ceil(len(values) * percent / 100))
    return sorted(values)[rank - 1]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """The three that every latency is given by; empty without values."""
    if not values:
        return {}
    return {name: percentile(values, of) for name, of in (("p50", 50), ("p95", 95), ("p99", 99))}
