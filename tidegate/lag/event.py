"""A scale event and the paths of its pods.

A path is one list of timestamps; its parts are the differences of neighbours, so they cannot overlap or
leave anything out. They also add up to the whole exactly, not just nearly: unix seconds of this century
are multiples of 2**-23 s in a double, and so are their differences, which a double holds without rounding
as long as an event takes less than some years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Self

from tidegate.run import nearest_rank

UP_MARKS = ("sample", "visible", "decided", "created", "scheduled", "started", "ready", "first_request")
"""What is passed on the way up: the kubelet's sample was taken, it was visible in the metrics API, the
autoscaler decided, the pod was created, scheduled, its containers started, it was Ready, it was sent its
first request."""

UP_PARTS = ("metric", "decision", "create", "schedule", "start", "ready", "first_request")
"""Names of the parts between neighbouring `UP_MARKS`."""

DOWN_MARKS = ("decided", "deleting", "drained", "gone")
"""What is passed on the way down: the autoscaler decided, the pod's deletion was asked for, its last
request was served, it was gone."""

DOWN_PARTS = ("deleting", "drained", "gone")
"""Names of the parts between neighbouring `DOWN_MARKS`."""

Direction = Literal["up", "down"]


def raised(marks_s: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return marks with each raised to the ones before it.

    Marks come from several watches, whose deliveries may overtake each other by milliseconds.
    """
    found: list[float | None] = []
    floor_s: float | None = None
    for mark_s in marks_s:
        if mark_s is not None:
            floor_s = mark_s if floor_s is None else max(mark_s, floor_s)
        found.append(None if mark_s is None else floor_s)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class PodPath:
    """One pod's way through a scale event."""

    pod: str
    node: str | None
    names: tuple[str, ...]
    """`UP_MARKS` or `DOWN_MARKS`."""
    marks_s: tuple[float | None, ...]
    """Unix seconds of each, never decreasing; None for one that was not seen."""

    @classmethod
    def of(cls, pod: str, node: str | None, names: tuple[str, ...], marks_s: Sequence[float | None]) -> Self:
        """Return the path with each mark raised to the ones before it; see `raised`."""
        return cls(pod, node, names, raised(marks_s))

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the marks that were not seen."""
        return tuple(name for name, at_s in zip(self.names, self.marks_s, strict=True) if at_s is None)

    @property
    def complete(self) -> bool:
        """Whether every mark was seen."""
        return None not in self.marks_s

    @property
    def parts_s(self) -> dict[str, float]:
        """Seconds of each part whose two marks were both seen."""
        parts = UP_PARTS if self.names == UP_MARKS else DOWN_PARTS
        return {
            part: after_s - before_s
            for part, (before_s, after_s) in zip(parts, pairwise(self.marks_s), strict=True)
            if before_s is not None and after_s is not None
        }

    @property
    def total_s(self) -> float | None:
        """Seconds from the first mark to the last; None unless complete."""
        first_s, last_s = self.marks_s[0], self.marks_s[-1]
        return last_s - first_s if self.complete and first_s is not None and last_s is not None else None


@dataclass(frozen=True, slots=True)
class ScaleEvent:
    """One change of the number of replicas that the autoscaler asked for, and what became of it."""

    direction: Direction
    t_s: float
    """When it was decided, unix seconds."""
    from_replicas: int
    to_replicas: int
    cpu_percent: int | None
    """Use of the CPU request that the autoscaler reported, percent."""
    sample_window_s: float | None
    """Seconds the causing sample is a mean over; a step of load is fully in it only one window later."""
    paths: tuple[PodPath, ...]
    """The pods that were made or removed, in the order in which they passed the mark that counts: Ready on
    the way up, gone on the way down. Those that never passed it come last."""
    absent: int
    """Pods that were asked for (or to go) and of which nothing was seen."""

    @property
    def complete(self) -> bool:
        """Whether every pod was seen at every mark."""
        return self.absent == 0 and bool(self.paths) and all(path.complete for path in self.paths)

    @property
    def missing(self) -> tuple[str, ...]:
        """What was not seen, in words: `<pod>: <mark>`."""
        named = [f"{path.pod}: {mark}" for path in self.paths for mark in path.missing]
        if self.absent:
            named.append(f"{self.absent} pod(s): {'created' if self.direction == 'up' else 'deleting'}")
        return tuple(named)

    @property
    def first(self) -> PodPath | None:
        """The pod that was first Ready (gone)."""
        return self.paths[0] if self.paths else None

    @property
    def last(self) -> PodPath | None:
        """The pod that was last Ready (gone): the event is over with it."""
        return self.paths[-1] if self.paths else None

    @property
    def total_s(self) -> float | None:
        """Seconds of the whole event, those of its last pod; None unless complete."""
        return self.last.total_s if self.complete and self.last is not None else None

    @property
    def parts_s(self) -> dict[str, float]:
        """Seconds of each part on the path of the last pod; they add up to `total_s`."""
        return self.last.parts_s if self.last is not None else {}

    @property
    def median_total_s(self) -> float | None:
        """Median (nearest-rank) of the totals of the complete paths; None without one."""
        known = sorted(path.total_s for path in self.paths if path.total_s is not None)
        return nearest_rank(known, 50) if known else None
