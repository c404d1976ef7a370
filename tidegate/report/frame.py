"""The frame a report is drawn in: where x = 0 is, and from where to where the charts reach."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tidegate.run import PodLife, RunReader

BEFORE_S = 30.0
"""Most seconds shown before the load: the state it met, not the making of the cluster."""
AFTER_S = 900.0
"""Most seconds shown after the load: the calming down, not an idle evening."""
EMPTY_S = 60.0


@dataclass(frozen=True, slots=True)
class Frame:
    """Times of one report, unix seconds."""

    origin_s: float
    window_s: tuple[float, float]
    """The load window; the whole domain where none was recorded."""
    domain_s: tuple[float, float]

    def x(self, t_s: float) -> float:
        """Return `t_s` as seconds from the origin."""
        return round(t_s - self.origin_s, 3)

    def within(self, t_s: float) -> bool:
        """Whether `t_s` is in the load window."""
        return self.window_s[0] <= t_s <= self.window_s[1]

    @property
    def domain_x(self) -> tuple[float, float]:
        """The domain as seconds from the origin."""
        return self.x(self.domain_s[0]), self.x(self.domain_s[1])


def _bounds(frame: pl.DataFrame, first: str, last: str) -> list[float]:
    return [] if frame.is_empty() else [float(frame[first].sort()[0]), float(frame[last].sort()[-1])]


def frame_of(run: RunReader, lives: list[PodLife]) -> Frame:
    """Return the frame of `run`, also of one in which nothing was recorded."""
    plan = run.plan
    requests = _bounds(run.requests(), "intended_start_s", "end_s")
    seen = [*requests, *_bounds(run.metrics(), "t_s", "t_s"), *(fault.t_s for fault in run.faults())]
    for life in lives:
        marks = (life.created_s, life.ready_s, life.deleting_s, life.gone_s)
        seen.extend(mark for mark in marks if mark is not None)
    if plan.load_window_s is not None:
        load_s = plan.load_window_s
    elif requests:
        load_s = requests[0], max(requests[1], requests[0] + 1)
    else:
        load_s = (min(seen), max(seen)) if seen else (plan.created_s, plan.created_s)
    first_s = max(min([*seen, load_s[0]]), load_s[0] - BEFORE_S)
    last_s = min(max([*seen, load_s[1]]), load_s[1] + AFTER_S)
    if last_s - first_s < 1:
        last_s = first_s + EMPTY_S
    return Frame(load_s[0], plan.load_window_s or (first_s, last_s), (first_s, last_s))
