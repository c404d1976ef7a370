"""A trace of arrivals as the simulated world takes it: bins, of which a single arrival is the narrowest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.load.traces.model import Arrivals
from tidegate.load.traces.read import read_trace as read

_LONGEST_TRACE_S = 400 * 86_400.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Requests that arrive from `start_s` on, within `width_s`; a width of 0 is one moment."""

    start_s: float
    width_s: float
    count: float


def read_trace(paths: Sequence[Path]) -> list[Bin]:
    """Return the bins of all files, in the order of time, beginning at 0 s.

    The formats are those of `tidegate load replay`.

    Raises:
        TidegateError: a file cannot be read or is none of the formats (it names the line), or the trace is
            longer than 400 days.
    """
    trace = read(paths)
    bins = (
        [Bin(moment_s, 0.0, 1.0) for moment_s in trace.moments_s]
        if isinstance(trace, Arrivals)
        else [Bin(start_s, trace.width_s, count) for start_s, count in trace.bins]
    )
    days = bins[-1].start_s / 86_400
    if bins[-1].start_s > _LONGEST_TRACE_S:
        raise TidegateError(
            f"the trace spans {days:.0f} days, more than 400",
            where=", ".join(map(str, paths)),
            cure="are its times in seconds?",
        )
    return bins
