"""Replay: the load of a trace, faster or slower, with more or fewer requests than it had.

Shows how a policy does on load that somebody really had. Formats: `time,count` lines, a time a line, Common
Log Format, the JSON of a Prometheus range query; each also as gzip.

    locust -f loadtests/replay.py --host http://127.0.0.1:8080 --headless --trace access.log.gz --speed 60
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from _shopper import Shopper
from pydantic import Field

from tidegate.errors import TidegateError
from tidegate.load.offered import Phase
from tidegate.load.parameters import LoadParameters, Loop, arrivals_by_default
from tidegate.load.scenario import declare
from tidegate.load.shape import PlannedShape
from tidegate.load.traces import Arrivals, Format, Trace, Window, read_trace, replay_offsets, replay_phases

__all__ = ["Replay", "Shopper"]


class ReplayParameters(LoadParameters):
    """The load of a trace."""

    loop: Loop = arrivals_by_default()
    trace: str = Field(default="", description="A file, or a pattern such as 'day/*.csv'; read as one.")
    trace_format: Format = Field(default="auto", description="The files' format.")
    trace_from_s: float = Field(
        default=0.0, ge=0, le=1e9, description="Seconds of the trace that are left out at its start."
    )
    trace_s: float = Field(default=0.0, ge=0, le=1e9, description="Seconds of the trace replayed; 0 for all.")
    speed: float = Field(
        default=1.0, gt=0, le=100_000, description="Seconds of the trace to a second; rates stay as they are."
    )
    rate_scale: float = Field(
        default=1.0, gt=0, le=100_000, description="Requests a second for each of the trace's."
    )

    @cached_property
    def source(self) -> Trace:
        """The trace; read once."""
        if not self.trace:
            raise TidegateError("no trace to replay", cure="name one: --trace FILE")
        paths = [Path(name) for name in sorted(glob.glob(self.trace))] or [Path(self.trace)]  # noqa: PTH207
        window = Window(self.trace_from_s, self.trace_s or float("inf"))
        return read_trace(paths, self.trace_format, window)

    @property
    def phases(self) -> list[Phase]:
        """A level a bin; single arrivals by the second, for a closed loop and for the length of the load."""
        return list(replay_phases(self.source, rate_scale=self.rate_scale, speed=self.speed))

    def arrival_offsets(self) -> Iterator[float]:
        """Yield single arrivals at their own moments; bins hold a process of their rate."""
        if not isinstance(self.source, Arrivals):
            return super().arrival_offsets()
        seed = f"{self.seed}/arrivals"
        return replay_offsets(self.source, rate_scale=self.rate_scale, speed=self.speed, seed=seed)


scenario = declare(ReplayParameters)


class Replay(PlannedShape):
    """The replay as Locust asks for it."""

    scenario = scenario
