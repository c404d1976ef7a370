"""A trace as offered load: faster or slower, and with more or fewer requests than it had."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tidegate.load.offered import Phase, held
from tidegate.load.traces.model import Arrivals, Trace

_SHARE_S = 1.0
"""Seconds of replay over which single arrivals are counted, where only their rate is asked for."""


def replay_phases(trace: Trace, *, rate_scale: float, speed: float) -> Iterator[Phase]:
    """Yield the offered load of a replay, a piece a bin, gaps included.

    Args:
        trace: what to replay.
        rate_scale: requests for each of the trace's.
        speed: seconds of the trace to a second of replay. Requests come no more often for it: the trace's
            minute with 600 requests becomes a second with 10, at 10 a second as before.
    """
    if isinstance(trace, Arrivals):
        width_s, bins = _SHARE_S, _shares(trace, speed)
    else:
        width_s = trace.width_s / speed
        bins = [(start_s / speed, count / speed) for start_s, count in trace.bins]
    ended_s = 0.0
    for start_s, count in bins:
        yield Phase(start_s - ended_s, 0.0, 0.0)
        yield held(width_s, count * rate_scale / width_s)
        ended_s = start_s + width_s


def _shares(trace: Arrivals, speed: float) -> list[tuple[float, float]]:
    counted: dict[int, float] = {}
    for moment_s in trace.moments_s:
        share = int(moment_s / speed / _SHARE_S)
        counted[share] = counted.get(share, 0.0) + 1 / speed
    return [(share * _SHARE_S, count) for share, count in sorted(counted.items())]


def replay_offsets(trace: Arrivals, *, rate_scale: float, speed: float, seed: int | str) -> Iterator[float]:
    """Yield the planned starts of a replay of single arrivals, seconds after its start, in order.

    Each arrival comes back at its own moment. Where `rate_scale` and `speed` make more than one of it, the
    others are spread evenly until the next; where they make less, as many are left out at random.
    """
    draw = random.Random(seed)  # noqa: S311
    wanted = rate_scale / speed
    moments = trace.moments_s
    for index, moment_s in enumerate(moments):
        copies = int(wanted) + (draw.random() < wanted - int(wanted))
        gap_s = (moments[index + 1] - moment_s) if index + 1 < len(moments) else 0.0
        for copy in range(copies):
            yield (moment_s + gap_s * copy / copies) / speed
