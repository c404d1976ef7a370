"""The stabilization window: not to follow a recommendation that recent ones contradict."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.simulate.hpa.memory import Recommendation
from tidegate.simulate.hpa.spec import NANOS

Recommendations = tuple[Recommendation, ...]


@dataclass(frozen=True, slots=True)
class Stabilized:
    """A recommendation and what recent ones made of it."""

    raw: int
    replicas: int
    upper: int | None = None
    """Lowest recommendation within the window upwards: no rise above it. None without `behavior`."""
    lower: int | None = None
    """Highest recommendation within the window downwards: no fall below it."""

    @property
    def changed(self) -> bool:
        """Whether recent recommendations had a say."""
        return self.replicas != self.raw


def highest_recent(
    recent: Recommendations, raw: int, window_ns: int, now_ns: int
) -> tuple[Stabilized, Recommendations]:
    """Return the highest recommendation of the window, and the recommendations with `raw` among them.

    The rule without `behavior`: it applies going up too (horizontal.go:1032-1057). A recommendation exactly
    as old as the window still counts.
    """
    cutoff_ns = now_ns - window_ns
    highest, old = raw, None
    for index, recommendation in enumerate(recent):
        if recommendation.t_ns < cutoff_ns:
            old = index
        else:
            highest = max(highest, recommendation.replicas)
    return Stabilized(raw, highest, lower=highest), _record(recent, old, raw, now_ns)


def within_recent(
    recent: Recommendations, current: int, raw: int, up_window_s: int, down_window_s: int, now_ns: int
) -> tuple[Stabilized, Recommendations]:
    """Return `current` moved only as far as every recommendation of the windows agrees.

    The rule with `behavior` (horizontal.go:1206-1262). A recommendation exactly as old as the window no
    longer counts, unlike without `behavior`.
    """
    up_cutoff_ns = now_ns - up_window_s * NANOS
    down_cutoff_ns = now_ns - down_window_s * NANOS
    upper = lower = raw
    old = None
    # Written out, without min and max: half of the time of a decision is spent here.
    for index, recommendation in enumerate(recent):
        t_ns, replicas = recommendation.t_ns, recommendation.replicas
        if t_ns > up_cutoff_ns and replicas < upper:
            upper = replicas
        if t_ns > down_cutoff_ns and replicas > lower:
            lower = replicas
        if t_ns < up_cutoff_ns and t_ns < down_cutoff_ns:
            old = index
    replicas = min(max(current, upper), lower)
    return Stabilized(raw, replicas, upper, lower), _record(recent, old, raw, now_ns)


def _record(recent: Recommendations, old: int | None, raw: int, now_ns: int) -> Recommendations:
    """Return `recent` with `raw`, in the place of an old one where there is one."""
    new = Recommendation(raw, now_ns)
    if old is None:
        return (*recent, new)
    return (*recent[:old], new, *recent[old + 1 :])
