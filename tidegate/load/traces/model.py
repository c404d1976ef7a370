"""What a trace is once it is read: requests a bin, or the moments of single arrivals."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from tidegate.errors import TidegateError

MOST_BINS = 500_000
"""Bins kept in memory: 5 days of seconds, a year of minutes."""
MOST_ARRIVALS = 2_000_000
"""Arrivals kept in memory: no load may have more requests."""
_DEFAULT_WIDTH_S = 60.0


class Window(NamedTuple):
    """The part of a trace that is wanted, seconds of the trace after its first entry."""

    from_s: float = 0.0
    length_s: float = float("inf")

    def shift(self, begins_s: float) -> tuple[float, float]:
        """Return the window's ends on the clock of a trace that begins at `begins_s`."""
        return begins_s + self.from_s, begins_s + self.from_s + self.length_s


class Counts(NamedTuple):
    """Requests by bins of one width, in the order of time; a bin that is absent had none."""

    width_s: float
    bins: list[tuple[float, float]]
    """Start in seconds from the trace's start, and requests."""

    @property
    def seconds(self) -> float:
        """Length of the trace."""
        return self.bins[-1][0] + self.width_s

    @property
    def requests(self) -> float:
        """Requests of the trace."""
        return sum(count for _, count in self.bins)


class Arrivals(NamedTuple):
    """Moments of single arrivals in order, seconds from the trace's start."""

    moments_s: array[float]

    @property
    def requests(self) -> float:
        """Requests of the trace."""
        return float(len(self.moments_s))


Trace = Counts | Arrivals


def counts(found: dict[float, float], window: Window, where: str, width_s: float | None = None) -> Counts:
    """Return the bins that begin in `window`.

    Args:
        found: requests by the bin's start, in any order and on any clock.
        window: the part wanted.
        where: names the trace in errors.
        width_s: width of a bin; by default the least distance between two.

    Raises:
        TidegateError: there is no request in the window.
    """
    starts = sorted(found)
    if not starts:
        raise TidegateError("the trace has no entry", where=where)
    width_s = width_s or min((after - before for before, after in pairwise(starts)), default=_DEFAULT_WIDTH_S)
    from_s, until_s = window.shift(starts[0])
    kept = [(start_s, found[start_s]) for start_s in starts if from_s <= start_s < until_s]
    begins_s = from_s if window.from_s else starts[0]
    if sum(count for _, count in kept) <= 0:
        raise TidegateError("the trace has no request in the part that is wanted", where=where)
    return Counts(width_s, [(start_s - begins_s, count) for start_s, count in kept])


def arrivals(found: Iterable[float], window: Window, where: str) -> Arrivals:
    """Return the arrivals in `window`, sorted; as `counts`."""
    moments = sorted(found)
    if not moments:
        raise TidegateError("the trace has no entry", where=where)
    from_s, until_s = window.shift(moments[0])
    kept = array("d", (moment_s - from_s for moment_s in moments if from_s <= moment_s < until_s))
    if not kept:
        raise TidegateError("the trace has no request in the part that is wanted", where=where)
    return Arrivals(kept)
