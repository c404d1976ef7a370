"""Make series small enough for a page without hiding what matters in them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tidegate.report.model import XY

MOST_POINTS = 1200
"""Points of one line: about one a pixel on a wide screen."""

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


def bucket_for(span_s: float, least_s: float, most_buckets: int) -> float:
    """Return the shortest round bucket (seconds) of which at most `most_buckets` cover `span_s`."""
    wanted_s = max(least_s, span_s / most_buckets)
    for step_s in _STEPS_S:
        if step_s >= wanted_s:
            return float(step_s)
    return math.ceil(wanted_s / 3600) * 3600.0


def extremes(x: Sequence[float], y: Sequence[float], most: int = MOST_POINTS) -> XY:
    """Return the line through the points, thinned to about `most` of them.

    Of each stretch the lowest and the highest point stay, where they were: a peak is never averaged away.
    """
    if len(x) <= most:
        return line(x, y)
    width = math.ceil(len(x) / (most // 2))
    kept: list[int] = []
    for begin in range(0, len(x), width):
        stretch = range(begin, min(begin + width, len(x)))
        low, high = min(stretch, key=y.__getitem__), max(stretch, key=y.__getitem__)
        kept.extend(sorted({low, high}))
    return line([x[i] for i in kept], [y[i] for i in kept])


def steps(x: Sequence[float], y: Sequence[float]) -> XY:
    """Return a step line without the points that change nothing, thinned like any line."""
    kept = [i for i in range(len(x)) if i == 0 or y[i] != y[i - 1]]
    return extremes([x[i] for i in kept], [y[i] for i in kept])


def line(x: Sequence[float], y: Sequence[float]) -> XY:
    """Return the points with milliseconds and four significant figures or more kept."""
    return XY(x=tuple(round(value, 3) for value in x), y=tuple(short(value) for value in y))


def short(value: float) -> float:
    """Return `value` without digits nobody can see in a chart."""
    return round(value, 1) if abs(value) >= 1000 else round(value, 3)
